/**
 * Container logs as nerdctl's json-file driver writes them: a line of JSON for each line of output.
 * Query: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
 */
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

/** `time` is RFC 3339 with nanoseconds; `log` has its newline, if that is its line's end. See `LogWriter`. */
export type Entry = { log: string; stream: string; time: string; bytes?: string };
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

/** Undefined for a line that the logger has not finished. */
function parseEntry(line: string): Entry | undefined {
  try {
    const { log, stream = "stdout", time = "", bytes } = JSON.parse(line) as Partial<Entry>;
    return typeof log === "string" ? { log, stream, time, ...(bytes !== undefined && { bytes }) } : undefined;
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

/** The entries of a log that are wanted, in portions; with `follow` until the container has ended or `signal`. */
export async function* readEntries(
  path: string,
  options: Pick<LogOptions, "follow" | "tailLines" | "stream" | "since">,
  deps: FollowDeps,
): AsyncIterable<Entry[]> {
  const files = await LogFiles.open(path, options.tailLines);
  // What is written while the last lines are read makes them no more.
  let left = options.follow ? Number.POSITIVE_INFINITY : (options.tailLines ?? Number.POSITIVE_INFINITY);
  try {
    while (!deps.signal.aborted && left > 0) {
      const isComplete = !options.follow || !deps.running(); // asked first, as more may come while it reads
      const lines = (await files.read()).slice(0, left);
      left -= lines.length;
      if (lines.length > 0) {
        const entries = lines.flatMap((line) => parseEntry(line) ?? []).filter((entry) => isWanted(entry, options));
        if (entries.length > 0) yield entries;
      } else if (isComplete) return;
      else await deps.timers.sleep(POLL_MS, deps.signal).catch(() => {});
    }
  } finally {
    await files.close();
  }
}

/** The log as text, in portions. */
export async function* readLog(path: string, options: LogOptions, deps: FollowDeps): AsyncIterable<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let isNewLine = true;
  for await (const entries of readEntries(path, options, deps)) {
    const parts = entries.flatMap((entry) => {
      const begins = isNewLine && options.timestamps;
      isNewLine = entry.log.endsWith("\n");
      return begins ? [Buffer.from(`${entry.time} `), bytesOf(entry)] : [bytesOf(entry)];
    });
    const bytes = Buffer.concat(parts).subarray(0, Math.min(left, Number.MAX_SAFE_INTEGER));
    yield bytes;
    left -= bytes.length;
    if (left <= 0) return;
  }
}
