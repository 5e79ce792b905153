/**
 * Lines of a log that turns over: `X` is written to, `X.1`, `X.2`, … were, in this order, and the first ones go. A file
 * that is open stays readable when it is renamed or deleted, so nothing between two looks is lost.
 */
import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

type OpenFile = { handle: FileHandle; inode: number };

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export class LogFiles {
  private readonly path: string;
  /** Those not read yet, oldest first; the first one is being read. */
  private files: OpenFile[] = [];
  private position = 0;
  private rest: Buffer = Buffer.alloc(0);

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens a log at its beginning, or so that the last `tail` lines are to come. The caller must close it. */
  static async open(path: string, tail?: number): Promise<LogFiles> {
    const log = new LogFiles(path);
    await log.openNewer(undefined);
    if (tail !== undefined) await log.seek(tail);
    return log;
  }

  /** The next complete lines, with newlines between them; nothing when there are no more now. */
  async read(): Promise<string> {
    for (;;) {
      const [file] = this.files;
      if (!file) {
        await this.openNewer(undefined);
        if (this.files.length === 0) return "";
        continue;
      }
      const chunk = await this.chunk(file);
      if (chunk.length > 0) {
        const lines = this.cut(chunk);
        if (lines) return lines;
      } else if (!(await this.advance(file))) return "";
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.files.map(({ handle }) => handle.close()));
    this.files = [];
  }

  private async chunk({ handle }: OpenFile): Promise<Buffer> {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, this.position);
    this.position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  private cut(chunk: Buffer): string {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    const end = bytes.lastIndexOf(NEWLINE);
    this.rest = bytes.subarray(end + 1);
    return end === -1 ? "" : bytes.toString("utf8", 0, end);
  }

  /** Goes on to the next file when there is one. */
  private async advance(file: OpenFile): Promise<boolean> {
    if (this.files.length === 1) {
      await this.openNewer(file);
      if (this.files.length === 1) return false;
      // It was written to until the moment of its renaming, which may be after the last read.
      const last = await this.chunk(file);
      if (last.length > 0) {
        this.position -= last.length;
        return true;
      }
    }
    this.files.shift();
    await file.handle.close();
    this.position = 0;
    this.rest = Buffer.alloc(0);
    return true;
  }

  /** Opens what was begun after `known`. From the newest back, so that a renaming in between hides no file. */
  private async openNewer(known: OpenFile | undefined): Promise<void> {
    const newer: OpenFile[] = [];
    for (const path of await this.paths()) {
      const handle = await open(path).catch(() => undefined);
      if (!handle) continue;
      const { ino: inode } = await handle.stat();
      const isKnown = inode === known?.inode;
      if (isKnown || newer.some((file) => file.inode === inode)) await handle.close();
      else newer.push({ handle, inode });
      if (isKnown) break;
    }
    this.files.push(...newer.reverse());
  }

  private async paths(): Promise<string[]> {
    const name = basename(this.path);
    const folder = dirname(this.path);
    const numbers = (await readdir(folder).catch(() => []))
      .map((entry) => (entry.startsWith(`${name}.`) ? entry.slice(name.length + 1) : ""))
      .filter((suffix) => /^\d+$/.test(suffix))
      .map(Number)
      .toSorted((a, b) => b - a);
    return [this.path, ...numbers.map((number) => join(folder, `${name}.${number}`))];
  }

  /** Looks for the start of the last `tail` lines, from the end, and closes files from before it. */
  private async seek(tail: number): Promise<void> {
    let missing = tail;
    for (let index = this.files.length - 1; index >= 0; index--) {
      const file = this.files[index] as OpenFile;
      const { start, lines } = await lastLines(file.handle, missing);
      missing -= lines;
      this.position = start;
      if (missing > 0) continue;
      for (const { handle } of this.files.splice(0, index)) await handle.close();
      return;
    }
  }
}

/** Where the last `wanted` complete lines of a file begin, or its first ones when it has no more than that. */
async function lastLines(handle: FileHandle, wanted: number): Promise<{ start: number; lines: number }> {
  const { size } = await handle.stat();
  let newlines = 0;
  let end = size;
  for (let at = size; at > 0; ) {
    const length = Math.min(CHUNK_BYTES, at);
    at -= length;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
    for (let index = buffer.lastIndexOf(NEWLINE, bytesRead - 1); index !== -1; ) {
      if (newlines === 0) end = at + index + 1;
      // The newline before a line's first byte is the one that counts.
      if (newlines === wanted) return { start: at + index + 1, lines: wanted };
      newlines++;
      index = index === 0 ? -1 : buffer.lastIndexOf(NEWLINE, index - 1);
    }
  }
  return newlines === 0 ? { start: end, lines: 0 } : { start: 0, lines: newlines };
}
