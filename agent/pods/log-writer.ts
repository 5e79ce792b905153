/**
 * Writes what a container prints into its log, in the form that nerdctl's json-file driver has: a line of JSON for each
 * line, and files that turn over. As CRI has it, a longer line comes in parts, of which only the last has the newline.
 * What is no text has its bytes beside it.
 */
import { isUtf8 } from "node:buffer";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

export type LogLimits = { maxBytes: number; maxFiles: number };
type StreamName = "stdout" | "stderr";
/** Bytes in base64. */
export type Rests = Record<StreamName, string>;

/** containerd's `max_container_log_line_size`. */
const MAX_LINE_BYTES = 16 * 1024;
/** A byte has at most six in JSON, and four thirds in base64. */
const MAX_ENTRY_BYTES = 8 * MAX_LINE_BYTES;
const NEWLINE = 0x0a;
const NANOSECONDS = 1_000_000;

/**
 * Where it cannot write, as on a full disk, the container goes on, and what it prints is lost until there is room, as
 * with containerd.
 */
export class LogWriter {
  readonly #path: string;
  readonly #limits: LogLimits;
  readonly #now: () => number;
  readonly #rests: Record<StreamName, Buffer>;
  #file: number | undefined;
  #size = 0;
  #last = { ms: 0, more: 0 };

  /** `now` is in ms since the epoch; `rests` those of the writer before. */
  constructor(path: string, limits: LogLimits, now: () => number, rests: Partial<Rests> = {}) {
    this.#path = path;
    this.#limits = limits;
    this.#now = now;
    const bytesOf = (base64 = "") => Buffer.from(base64, "base64");
    this.#rests = { stdout: bytesOf(rests.stdout), stderr: bytesOf(rests.stderr) };
    this.#append("");
  }

  /** The beginnings of lines whose ends have not come; undefined when there are none. */
  get rests(): Rests | undefined {
    const { stdout, stderr } = this.#rests;
    if (!stdout.length && !stderr.length) return undefined;
    return { stdout: stdout.toString("base64"), stderr: stderr.toString("base64") };
  }

  write(stream: StreamName, data: Buffer): void {
    const bytes = this.#rests[stream].length ? Buffer.concat([this.#rests[stream], data]) : data;
    const end = ending(stream, this.#time());
    let at = 0;
    let text = "";
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const next = newline === -1 ? bytes.length : newline + 1;
      if (next - at > MAX_LINE_BYTES) {
        text += entry(bytes.subarray(at, at + MAX_LINE_BYTES), end);
        at += MAX_LINE_BYTES;
      } else if (newline === -1) break;
      else {
        text += entry(bytes.subarray(at, next), end);
        at = next;
      }
    }
    this.#rests[stream] = Buffer.from(bytes.subarray(at)); // a copy, which keeps no large buffer alive
    if (text) this.#append(text);
  }

  /** What came without a newline at the end is written without one. */
  end(): void {
    const end = this.#time();
    for (const stream of ["stdout", "stderr"] as const)
      if (this.#rests[stream].length) this.#append(entry(this.#rests[stream], ending(stream, end)));
    this.#close();
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes) this.#turnOver();
      this.#file ??= this.#open();
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
      this.#size += bytes.length;
    } catch {
      this.#mend();
    }
  }

  #open(): number {
    const file = openSync(this.#path, "a+", 0o600);
    this.#size = wholeLines(file);
    ftruncateSync(file, this.#size);
    return file;
  }

  /** Half a line would spoil the next one. */
  #mend(): void {
    try {
      if (this.#file !== undefined) ftruncateSync(this.#file, this.#size);
    } catch {
      this.#close(); // it is mended when it is opened again
    }
  }

  /** `X` becomes the newest of `X.1`, `X.2`, …, whose numbers rise; the oldest ones go. */
  #turnOver(): void {
    const name = basename(this.#path);
    const folder = dirname(this.#path);
    const numbers = readdirSync(folder)
      .flatMap((file) => (file.startsWith(`${name}.`) ? Number(file.slice(name.length + 1)) || [] : []))
      .toSorted((a, b) => a - b);
    renameSync(this.#path, join(folder, `${name}.${(numbers.at(-1) ?? 0) + 1}`));
    this.#close();
    const left = Math.max(0, numbers.length + 2 - this.#limits.maxFiles);
    for (const number of numbers.slice(0, left)) rmSync(join(folder, `${name}.${number}`), { force: true });
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#size = 0;
  }

  /** RFC 3339 with nanoseconds, later each time. */
  #time(): string {
    const ms = this.#now();
    this.#last = { ms, more: ms === this.#last.ms ? (this.#last.more + 1) % NANOSECONDS : 0 };
    return `${new Date(ms).toISOString().slice(0, -1)}${`${this.#last.more}`.padStart(6, "0")}Z`;
  }
}

const ending = (stream: StreamName, time: string) => `,"stream":"${stream}","time":"${time}"`;

function entry(bytes: Buffer, end: string): string {
  const whole = isUtf8(bytes) ? "" : `,"bytes":"${bytes.toString("base64")}"`;
  return `{"log":${JSON.stringify(bytes.toString())}${end}${whole}}\n`;
}

/** How far a log has whole lines: its last one is half written where a writer was killed, or the disk was full. */
function wholeLines(file: number): number {
  const { size } = fstatSync(file);
  const end = Buffer.alloc(Math.min(size, MAX_ENTRY_BYTES));
  const read = readSync(file, end, 0, end.length, size - end.length);
  return size - read + end.lastIndexOf(NEWLINE, read - 1) + 1;
}
