/**
 * Container logs as nerdctl's json-file driver writes them: a line of JSON for each line of output.
 * Query: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
 */
import { type Entry, parseEntries } from "../../worker/lib/log-entries.ts";
import { isTrue } from "../../worker/lib/query.ts";
import type { Timers } from "../effects.ts";
import { LogFiles } from "./log-files.ts";

export type LogOptions = {
  follow: boolean;
  timestamps: boolean;
  tailLines?: number;
  limitBytes?: number;
  /** Entries from before this are left out, ms. */
  since?: number;
  stream: "All" | "Stdout" | "Stderr";
};

export const bytesOf = ({ log, bytes }: Entry): Buffer =>
  Buffer.from(bytes ?? log, bytes === undefined ? "utf8" : "base64");

const POLL_MS = 100;

export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string) => (query.get(name) ? Number(query.get(name)) : undefined);
  const flag = (name: string) => isTrue(query.get(name));
  const seconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  return {
    follow: flag("follow"),
    timestamps: flag("timestamps"),
    tailLines: number("tailLines"),
    limitBytes: number("limitBytes"),
    since: seconds !== undefined ? now - seconds * 1000 : sinceTime ? wholeSecond(sinceTime) : undefined,
    stream: (query.get("stream") as LogOptions["stream"] | null) ?? "All",
  };
}

/** The API server hands on no fraction. */
const wholeSecond = (time: string) => Math.floor(Date.parse(time) / 1000) * 1000;

const FIRST = '{"log":"';
/** What follows the text of an entry, as loggers write it: within a text every quote has a backslash before it. */
const LAST = '","stream":"';
const BETWEEN = /","stream":"std(?:out|err)","time":"[^"\\]*"\}\n\{"log":"/g;

/** The text of all entries, with none of them made; undefined where some are of another form. */
function textOf(lines: string): string | undefined {
  const end = lines.lastIndexOf(LAST);
  if (!lines.startsWith(FIRST) || end === -1) return undefined;
  try {
    const { bytes } = JSON.parse(FIRST + lines.slice(end)) as Entry;
    if (bytes !== undefined) return undefined;
    return JSON.parse(`"${lines.slice(FIRST.length, end).replace(BETWEEN, "")}"`) as string;
  } catch {
    return undefined;
  }
}

function isWanted({ stream, time }: Entry, options: Pick<LogOptions, "stream" | "since">): boolean {
  if (options.stream !== "All" && stream !== options.stream.toLowerCase()) return false;
  return options.since === undefined || Date.parse(time) >= options.since;
}

export type FollowDeps = {
  /** Whether more may be written. */
  running(): boolean;
  timers: Pick<Timers, "sleep">;
  signal: AbortSignal;
};

type Wanted = Pick<LogOptions, "follow" | "tailLines" | "stream" | "since">;

/** The lines of a log, in portions as `LogFiles` reads them; with `follow` until the container has ended or `signal`. */
async function* readLines(path: string, options: Wanted, deps: FollowDeps): AsyncIterable<string> {
  const files = await LogFiles.open(path, options.tailLines);
  // What is written while the last lines are read makes them no more.
  let left = options.follow ? undefined : options.tailLines;
  try {
    while (!deps.signal.aborted && left !== 0) {
      const isComplete = !options.follow || !deps.running(); // asked first, as more may come while it reads
      const read = await files.read();
      const lines: string = left === undefined ? read : read.split("\n").slice(0, left).join("\n");
      if (left !== undefined && lines) left -= lines.split("\n").length;
      if (lines) yield lines;
      else if (isComplete) return;
      else await deps.timers.sleep(POLL_MS, deps.signal).catch(() => {});
    }
  } finally {
    await files.close();
  }
}

const wantedEntries = (lines: string, options: Wanted): Entry[] =>
  parseEntries(lines).filter((entry) => isWanted(entry, options));

/** The entries of a log that are wanted, in portions; with `follow` until the container has ended or `signal`. */
export async function* readEntries(path: string, options: Wanted, deps: FollowDeps): AsyncIterable<Entry[]> {
  for await (const lines of readLines(path, options, deps)) {
    const entries = wantedEntries(lines, options);
    if (entries.length > 0) yield entries;
  }
}

/** The log as text, in portions. */
export async function* readLog(path: string, options: LogOptions, deps: FollowDeps): AsyncIterable<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let isNewLine = true;
  const isAll = options.stream === "All" && options.since === undefined && !options.timestamps;
  for await (const lines of readLines(path, options, deps)) {
    const text = isAll ? textOf(lines) : undefined;
    const all = text === undefined ? Buffer.concat(partsOf(lines)) : Buffer.from(text);
    const bytes = all.subarray(0, Math.min(left, Number.MAX_SAFE_INTEGER));
    if (bytes.length > 0) yield bytes;
    left -= bytes.length;
    if (left <= 0) return;
  }

  function partsOf(lines: string): Buffer[] {
    return wantedEntries(lines, options).flatMap((entry) => {
      const begins = isNewLine && options.timestamps;
      isNewLine = entry.log.endsWith("\n");
      return begins ? [Buffer.from(`${entry.time} `), bytesOf(entry)] : [bytesOf(entry)];
    });
  }
}
