/**
 * Container logs from json-file logs with rotation: `ID-json.log` is the newest, `.1`, `.2`, … are older.
 * Query: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Timers } from "../effects.ts";

export type LogOptions = {
  follow: boolean;
  timestamps: boolean;
  tailLines?: number;
  limitBytes?: number;
  /** Entries from before this are left out, ms. */
  since?: number;
  stream: "All" | "Stdout" | "Stderr";
};

type Entry = { log: string; stream: string; time: string };

const POLL_MS = 100;
const ROTATED_FILES = 20;

export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
  const flag = (name: string) => query.get(name) === "true" || query.get(name) === "1";
  const seconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  return {
    follow: flag("follow"),
    timestamps: flag("timestamps"),
    tailLines: number("tailLines"),
    limitBytes: number("limitBytes"),
    since: seconds !== undefined ? now - seconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined,
    stream: (query.get("stream") as LogOptions["stream"] | null) ?? "All",
  };
}

/** Undefined for a line that the logger has not finished. */
export function parseEntry(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry>;
    return typeof entry.log === "string"
      ? { log: entry.log, stream: entry.stream ?? "stdout", time: entry.time ?? "" }
      : undefined;
  } catch {
    return undefined;
  }
}

export function renderEntry(entry: Entry, options: LogOptions): string {
  if (options.stream !== "All" && entry.stream !== options.stream.toLowerCase()) return "";
  if (options.since !== undefined && Date.parse(entry.time) < options.since) return "";
  return options.timestamps ? `${entry.time} ${entry.log}` : entry.log;
}

/** Rotated files, oldest first, then the current one. */
function filesOf(path: string): string[] {
  const older = Array.from({ length: ROTATED_FILES }, (_, index) => `${path}.${ROTATED_FILES - index}`);
  return [...older, path].filter((file) => existsSync(file));
}

/** The text of what is there now, the last `tailLines` lines of it. */
async function* existing(path: string, options: LogOptions): AsyncIterable<string> {
  const tail: string[] = [];
  for (const file of filesOf(path)) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const entry = parseEntry(line);
      const text = entry ? renderEntry(entry, options) : "";
      if (!text) continue;
      if (options.tailLines === undefined) yield text;
      else if (options.tailLines > 0) {
        tail.push(text);
        if (tail.length > options.tailLines) tail.shift();
      }
    }
  }
  yield* tail;
}

/** What is appended from `offset` on, until the container has ended and all is read. */
async function* appended(path: string, offset: number, options: LogOptions, deps: FollowDeps): AsyncIterable<string> {
  let position = offset;
  let inode = existsSync(path) ? statSync(path).ino : 0;
  let rest = "";
  for (;;) {
    const running = deps.running();
    const text = existsSync(path) ? await readFrom(path, position) : Buffer.alloc(0);
    position += text.length;
    const lines = (rest + text.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const entry = parseEntry(line);
      const rendered = entry ? renderEntry(entry, options) : "";
      if (rendered) yield rendered;
    }
    const current = existsSync(path) ? statSync(path) : undefined;
    if (current && (current.ino !== inode || current.size < position)) {
      inode = current.ino; // rotated: the rest of the old file was read above, but for what came in between
      position = 0;
      rest = "";
    } else if (text.length === 0) {
      if (!running || deps.signal.aborted) return;
      await deps.timers.sleep(POLL_MS);
    }
  }
}

async function readFrom(path: string, position: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size <= position) return Buffer.alloc(0);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(size - position, 256 * 1024)),
      0,
      undefined,
      position,
    );
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export type FollowDeps = { running(): boolean; timers: Pick<Timers, "sleep">; signal: AbortSignal };

/** The log as text, in pieces. */
export async function* readLog(path: string, options: LogOptions, deps: FollowDeps): AsyncIterable<string> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const end = existsSync(path) ? statSync(path).size : 0;
  const sources = [existing(path, options), ...(options.follow ? [appended(path, end, options, deps)] : [])];
  for (const source of sources) {
    for await (const text of source) {
      const bytes = Buffer.from(text);
      yield bytes.length <= left ? text : bytes.subarray(0, left).toString();
      left -= bytes.length;
      if (left <= 0 || deps.signal.aborted) return;
    }
  }
}
