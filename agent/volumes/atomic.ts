import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

export type VolumeFile = { data: Uint8Array; mode: number; uid?: number };
/** By path relative to the volume. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

const DATA = "..data";

/**
 * Makes `folder` hold exactly `files`, for readers in one instant: the files lie in a folder of their own version,
 * `..data` points to it, and each visible name points through `..data`. Changes nothing when nothing changed.
 * Nothing of a volume's names may escape it: the API admits no `..` in keys and paths, and this asserts it.
 */
export function writeAtomically(folder: string, files: VolumeFiles, group?: number): void {
  for (const path of files.keys())
    if (path.startsWith("/") || path.split("/").some((part) => part === ".." || part === "."))
      throw new Error(`unsafe path in a volume: ${path}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const old = linkTarget(join(folder, DATA));
  if (old && isSame(join(folder, old), files)) return;
  const name = `..${Number(old?.slice(2) ?? 0) + 1}`;
  const next = join(folder, name);
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { mode: 0o755 });
  for (const [path, file] of files) writeFile(next, path, file, group);
  own(folder, 0o755, undefined, group);
  own(next, 0o755, undefined, group);
  const swap = join(folder, "..data_tmp");
  rmSync(swap, { force: true });
  symlinkSync(name, swap);
  renameSync(swap, join(folder, DATA));
  showNames(folder, new Set([...files.keys()].map((path) => path.split("/")[0] ?? path)));
  for (const entry of readdirSync(folder))
    if (entry.startsWith("..") && entry !== DATA && entry !== name)
      rmSync(join(folder, entry), { recursive: true, force: true });
}

function writeFile(root: string, path: string, file: VolumeFile, group: number | undefined): void {
  const parts = path.split("/").slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    const parent = join(root, ...parts.slice(0, depth));
    if (!existsSync(parent)) mkdirSync(parent, { mode: 0o755 });
    own(parent, 0o755, undefined, group);
  }
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, file.data);
  // The group reads what the owner reads, as the kubelet has it for volumes that only it writes.
  own(target, group === undefined ? file.mode : file.mode | ((file.mode & 0o400) >> 3), file.uid, group);
}

function own(path: string, mode: number, uid: number | undefined, group: number | undefined): void {
  if (uid !== undefined || group !== undefined) chownSync(path, uid ?? 0, group ?? 0);
  const setgid = group !== undefined && statSync(path).isDirectory() ? 0o2050 : 0;
  chmodSync(path, mode | setgid);
}

/** Visible names appear after the data they point to and go after it went. What is no link is a mount point of others. */
function showNames(folder: string, names: ReadonlySet<string>): void {
  const present = readdirSync(folder);
  for (const name of names) if (!present.includes(name)) symlinkSync(join(DATA, name), join(folder, name));
  for (const entry of present)
    if (!entry.startsWith("..") && !names.has(entry) && linkTarget(join(folder, entry)) !== undefined)
      unlinkSync(join(folder, entry));
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isSame(folder: string, files: VolumeFiles): boolean {
  try {
    const present = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    if (present.length !== files.size) return false;
    return [...files].every(([path, file]) => readFileSync(join(folder, path)).equals(file.data));
  } catch {
    return false;
  }
}
