import { mkdirSync, rmdirSync } from "node:fs";
import { isIPv6 } from "node:net";
import type { CoreV1NFSVolumeSource } from "../../../worker/kinds/generated/types.ts";
import { isMountPoint, mountAs } from "../mounts.ts";
import { type VolumeSource, volumeFolder } from "../volume.ts";

export type NfsMount = { source: CoreV1NFSVolumeSource; readOnly: boolean; options: readonly string[] };

/** What mount(8) is told. */
export function nfsArguments({ source, readOnly, options }: NfsMount): { what: string; options: string[] } {
  const server = isIPv6(source.server) ? `[${source.server}]` : source.server;
  const all = new Set([...options, ...(readOnly ? ["ro"] : [])]);
  return { what: `${server}:${source.path}`, options: [...all].sort() };
}

/** Mounts an export of an NFS server at `target`, by the machine's mount.nfs. Throws as `mountAs`. */
export async function mountNfs(target: string, mount: NfsMount): Promise<void> {
  if (isMountPoint(target)) return;
  mkdirSync(target, { recursive: true, mode: 0o750 });
  const { what, options } = nfsArguments(mount);
  try {
    await mountAs("nfs", what, target, options);
  } catch (error) {
    rmdirSync(target);
    throw error;
  }
}

/** https://kubernetes.io/docs/concepts/storage/volumes/#nfs */
export const nfs: VolumeSource = {
  name: "nfs",
  matches: (volume) => volume.nfs !== undefined,
  readOnly: (volume) => volume.nfs?.readOnly ?? false,
  async prepare({ name, nfs: source = { server: "", path: "" } }, context) {
    const target = volumeFolder(context.folder, "nfs", name);
    await mountNfs(target, { source, readOnly: source.readOnly ?? false, options: [] });
    return target;
  },
};
