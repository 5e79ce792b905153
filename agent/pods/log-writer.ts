/**
 * Writes what a container prints into its log, in the form that nerdctl's json-file driver has: a line of JSON for each
 * line, and files that turn over. As CRI has it, a longer line comes in parts, of which only the last has the newline.
 * What is no text has its bytes beside it.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export type LogLimits = { maxBytes: number; maxFiles: number };
type StreamName = "stdout" | "stderr";

/** containerd's `max_container_log_line_size`. */
const MAX_LINE_BYTES = 16 * 1024;
const NEWLINE = 0x0a;
const NANOSECONDS = 1_000_000;

export class LogWriter {
  readonly #path: string;
  readonly #limits: LogLimits;
  readonly #now: () => number;
  readonly #rests: Record<StreamName, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #file: number;
  #size: number;
  #last = { ms: 0, more: 0 };

  /** `now` is in ms since the epoch. */
  constructor(path: string, limits: LogLimits, now: () => number) {
    this.#path = path;
    this.#limits = limits;
    this.#now = now;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = openSync(path, "a", 0o600);
    this.#size = fstatSync(this.#file).size;
  }

  write(stream: StreamName, data: Buffer): void {
    const bytes = this.#rests[stream].length ? Buffer.concat([this.#rests[stream], data]) : data;
    const time = this.#time();
    let at = 0;
    let text = "";
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline === -1 ? bytes.length : newline + 1;
      if (end - at > MAX_LINE_BYTES) {
        text += entry(bytes.subarray(at, at + MAX_LINE_BYTES), stream, time);
        at += MAX_LINE_BYTES;
      } else if (newline === -1) break;
      else {
        text += entry(bytes.subarray(at, end), stream, time);
        at = end;
      }
    }
    this.#rests[stream] = Buffer.from(bytes.subarray(at)); // a copy, which keeps no large buffer alive
    this.#append(text);
  }

  /** What came without a newline at the end is written without one. */
  end(): void {
    const time = this.#time();
    for (const stream of ["stdout", "stderr"] as const)
      if (this.#rests[stream].length) this.#append(entry(this.#rests[stream], stream, time));
    closeSync(this.#file);
  }

  #append(text: string): void {
    if (!text) return;
    const bytes = Buffer.from(text);
    if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes) this.#turnOver();
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
      this.#size += bytes.length;
    } catch {
      // A full disk: the container goes on, and what it prints is lost, as with containerd.
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
    const left = Math.max(0, numbers.length + 2 - this.#limits.maxFiles);
    for (const number of numbers.slice(0, left)) rmSync(join(folder, `${name}.${number}`), { force: true });
    closeSync(this.#file);
    this.#file = openSync(this.#path, "a", 0o600);
    this.#size = 0;
  }

  /** RFC 3339 with nanoseconds, later each time. */
  #time(): string {
    const ms = this.#now();
    this.#last = { ms, more: ms === this.#last.ms ? (this.#last.more + 1) % NANOSECONDS : 0 };
    return `${new Date(ms).toISOString().slice(0, -1)}${`${this.#last.more}`.padStart(6, "0")}Z`;
  }
}

function entry(bytes: Buffer, stream: StreamName, time: string): string {
  const whole = isUtf8(bytes) ? {} : { bytes: bytes.toString("base64") };
  return `${JSON.stringify({ log: bytes.toString(), stream, time, ...whole })}\n`;
}
