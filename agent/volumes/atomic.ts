import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, posix } from "node:path";

export type VolumeFile = { data: Uint8Array; mode: number; uid?: number };
/** By path relative to the volume. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

/** `group` is the pod's fsGroup; `now` in ms since the epoch. */
export type Writing = { group?: number; now: number };

const DATA = "..data";
const MAX_PATH_CHARACTERS = 4096;
const MAX_NAME_CHARACTERS = 255;

/**
 * Makes `folder` hold exactly `files`, for readers in one instant: the files lie in a folder of their own version,
 * `..data` points to it, and each visible name points through `..data`. Changes nothing when nothing changed.
 * Nothing of a volume's names may escape it: the API admits no `..` in keys and paths, and this asserts it.
 */
export function writeAtomically(folder: string, files: VolumeFiles, { group, now }: Writing): void {
  const clean = new Map([...files].map(([path, file]) => [checked(path), file]));
  mkdirSync(folder, { recursive: true });
  const old = linkTarget(join(folder, DATA));
  if (old && isSame(join(folder, old), clean)) return showNames(folder, clean);
  const next = mkdtempSync(join(folder, `..${stamp(now)}.`));
  for (const [path, file] of clean) writeFile(next, path, file, group);
  own(folder, 0o777, undefined, group);
  own(next, 0o755, undefined, group);
  const swap = join(folder, "..data_tmp");
  rmSync(swap, { force: true });
  symlinkSync(basename(next), swap);
  renameSync(swap, join(folder, DATA));
  showNames(folder, clean);
  for (const entry of readdirSync(folder))
    if (entry.startsWith("..") && entry !== DATA && entry !== basename(next))
      rmSync(join(folder, entry), { recursive: true, force: true });
}

/** `2026_01_31_23_59_59`, as programs look for it that pass over folders of versions. */
const stamp = (now: number) => new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, "_");

/** In the kubelet's words, where it is none that a volume can have. */
function checked(path: string): string {
  const parts = path.split("/");
  const refuse = (problem: string) => {
    throw new Error(`invalid path: ${problem}`);
  };
  if (path === "") refuse(`must not be empty: ""`);
  if (path.startsWith("/")) refuse(`must be relative path: ${path}`);
  if (path.length > MAX_PATH_CHARACTERS) refuse(`must be less than or equal to ${MAX_PATH_CHARACTERS} characters`);
  if (parts.includes("..")) refuse(`must not contain '..': ${path}`);
  if (parts.some((part) => part.length > MAX_NAME_CHARACTERS))
    refuse(`filenames must be less than or equal to ${MAX_NAME_CHARACTERS} characters`);
  if (path.startsWith("..")) refuse(`must not start with '..': ${path}`);
  return posix.normalize(path);
}

function writeFile(root: string, path: string, file: VolumeFile, group: number | undefined): void {
  const parts = path.split("/").slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    const parent = join(root, ...parts.slice(0, depth));
    mkdirSync(parent, { recursive: true });
    own(parent, 0o755, undefined, group);
  }
  const target = join(root, path);
  writeFileSync(target, file.data);
  own(target, file.mode, file.uid, group);
}

/** Who is of the group reads, as the kubelet has it for volumes that only it writes. */
function own(path: string, mode: number, uid: number | undefined, group: number | undefined): void {
  if (uid !== undefined || group !== undefined) chownSync(path, uid ?? -1, group ?? -1);
  const shared = group === undefined ? 0 : lstatSync(path).isDirectory() ? 0o2550 : 0o440;
  chmodSync(path, mode | shared);
}

/** Visible names appear after the data they point to and go after it went. What is no link is a mount point of others. */
function showNames(folder: string, files: VolumeFiles): void {
  const names = new Set([...files.keys()].map((path) => path.split("/")[0] ?? path));
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
