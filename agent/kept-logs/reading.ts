/** Portions of a log that turns over (`pods/log-writer.ts`), from where the one before ended. */
import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A place in a log: a file, whatever it is called by now, and so many bytes into it. */
export type Place = { file: string; offset: number };
export type Span = { from: Place; to: Place };

/** The most that goes at once, before it is compressed. A line of a log has at most an eighth of that. */
export const PORTION_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** The files of a log that are there, oldest first: of `X`, those with numbers after it, then itself. */
export async function filesOf(log: string): Promise<string[]> {
  const name = basename(log);
  const folder = dirname(log);
  const found = (await readdir(folder).catch(() => [])).filter((entry) => entry.startsWith(name));
  const number = (entry: string) => (entry === name ? Number.POSITIVE_INFINITY : Number(entry.slice(name.length + 1)));
  return found
    .filter((entry) => !Number.isNaN(number(entry)))
    .toSorted((a, b) => number(a) - number(b))
    .map((entry) => join(folder, entry));
}

type OpenFile = { file: string; handle: FileHandle; size: number };

/** A file keeps its number when it is renamed; another one that gets it later was made later. */
async function opened(path: string): Promise<OpenFile | undefined> {
  const handle = await open(path).catch(() => undefined);
  if (!handle) return undefined;
  const { ino, birthtimeNs, size } = await handle.stat({ bigint: true });
  return { file: `${ino}:${birthtimeNs}`, handle, size: Number(size) };
}

/** The next whole lines after a place, or a log's first; undefined while there are none. Of files that are gone, those after them. */
export async function nextSpan(log: string, after: Place | undefined): Promise<Span | undefined> {
  return withFiles(log, async (files) => {
    const known = files.findIndex(({ file }) => file === after?.file);
    for (const [index, { file, handle, size }] of files.entries()) {
      if (index < known) continue;
      const offset = index === known ? (after?.offset ?? 0) : 0;
      const bytes = await read(handle, offset, Math.min(size, offset + PORTION_BYTES));
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) return { from: { file, offset }, to: { file, offset: offset + end } };
    }
    return undefined;
  });
}

/** What lies between two places of one file; undefined where that is gone. */
export function bytesIn(log: string, { from, to }: Span): Promise<Buffer | undefined> {
  return withFiles(log, async (files) => {
    const found = files.find(({ file }) => file === from.file);
    const bytes = found && (await read(found.handle, from.offset, to.offset));
    return bytes?.length === to.offset - from.offset ? bytes : undefined;
  });
}

async function withFiles<T>(log: string, body: (files: readonly OpenFile[]) => Promise<T>): Promise<T> {
  const files: OpenFile[] = [];
  try {
    // From the newest back: what is renamed meanwhile is met twice, and is not missed.
    for (const path of (await filesOf(log)).toReversed()) {
      const file = await opened(path);
      if (file && files.some((other) => other.file === file.file)) await file.handle.close();
      else if (file) files.unshift(file);
    }
    return await body(files);
  } finally {
    await Promise.allSettled(files.map(({ handle }) => handle.close()));
  }
}

async function read(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
  return bytes.subarray(0, bytesRead);
}
