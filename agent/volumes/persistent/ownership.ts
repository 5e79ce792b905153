/**
 * Gives all that is in a volume to a group.
 * https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods
 */
import { chmod, lchown, lstat, opendir, stat } from "node:fs/promises";
import { join } from "node:path";

export type Owner = { group: number; policy: string | undefined };

const FILE = 0o660;
const FOLDER = 0o2770;
const PERMISSIONS = 0o7777;

/** The folder itself is changed last, so that what `OnRootMismatch` looks at tells of all. */
export async function own(folder: string, { group, policy }: Owner): Promise<void> {
  if (policy === "OnRootMismatch" && (await isOwned(folder, group))) return;
  await ownAll(folder, group);
}

async function isOwned(folder: string, group: number): Promise<boolean> {
  const { gid, mode } = await stat(folder);
  return gid === group && (mode & FOLDER) === FOLDER;
}

async function ownAll(path: string, group: number): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return; // others may remove what is in it
  if (found.isDirectory()) for await (const entry of await opendir(path)) await ownAll(join(path, entry.name), group);
  try {
    await lchown(path, -1, group);
    // A link's mode is that of what it leads to.
    if (found.isSymbolicLink()) return;
    await chmod(path, (found.mode & PERMISSIONS) | (found.isDirectory() ? FOLDER : FILE));
  } catch {
    // As with a kubelet, what cannot be changed stays as it is.
  }
}
