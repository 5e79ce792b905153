import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
} from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";

/** O_PATH of fcntl.h, which Node does not name: a handle to a place, without opening what is there. */
const O_PATH = 0o10000000;

/**
 * Opens a place in a folder that others may change at any instant. Links are followed as they stand now and must stay
 * inside; then the way is walked by handles that follow none, so that nothing outside can be reached. Missing folders
 * are made with `mode`, where it is given. The handle (O_PATH) is the caller's to close.
 */
export function openInside(folder: string, path: string, mode?: number): number {
  const root = realpathSync(folder);
  const missing: string[] = [];
  let existing = join(root, path);
  while (mode !== undefined && existing !== root && !existsSync(existing)) {
    missing.unshift(basename(existing));
    existing = dirname(existing);
  }
  const inside = relative(root, realpathSync(existing));
  if (inside.split(sep)[0] === "..") throw new Error(`${path} leads outside`);
  return walk(root, [...inside.split(sep).filter(Boolean), ...missing], mode);
}

function walk(root: string, parts: readonly string[], mode: number | undefined): number {
  let handle = openSync(root, O_PATH | constants.O_DIRECTORY);
  for (const part of parts) {
    let next: number;
    try {
      next = step(handle, part, mode);
    } finally {
      closeSync(handle);
    }
    handle = next;
  }
  return handle;
}

function step(handle: number, part: string, mode: number | undefined): number {
  const at = `/proc/self/fd/${handle}/${part}`;
  const isNew = mode !== undefined && make(at);
  const next = openSync(at, O_PATH | constants.O_NOFOLLOW);
  try {
    if (fstatSync(next).isSymbolicLink()) throw new Error(`a symbolic link is in the way: ${part}`);
    if (isNew) chmodSync(`/proc/self/fd/${next}`, mode); // past the umask
    return next;
  } catch (error) {
    closeSync(next);
    throw error;
  }
}

/** False for what is there already, a link that leads nowhere among it. */
function make(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The text of a file in a folder that others may change, as for `openInside`. At most `most` bytes, else it throws. */
export function readInside(folder: string, path: string, most: number): string {
  const place = openInside(folder, path);
  try {
    // One that is not a file, as a pipe is, would hold up whoever opens it.
    if (!fstatSync(place).isFile()) throw new Error(`${path} is not a file`);
    const file = openSync(`/proc/self/fd/${place}`, "r");
    try {
      const buffer = Buffer.alloc(Math.min(fstatSync(file).size, most) + 1);
      const length = readSync(file, buffer, 0, buffer.length, 0);
      if (length > most) throw new Error(`${path} is longer than ${most} bytes`);
      return buffer.subarray(0, length).toString();
    } finally {
      closeSync(file);
    }
  } finally {
    closeSync(place);
  }
}
