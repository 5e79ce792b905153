/**
 * Logs of containers as they are written, of pods as they come. Each is read on from where a connection broke off, while its
 * container runs and once after its end, so that neither a node's restart nor a relay's loses or doubles a line.
 */
import { errorText } from "../../worker/lib/error-text.ts";
import type { Pod } from "../../worker/lib/facts/objects.ts";
import { comparable, cut } from "../../worker/lib/facts/timed-line.ts";
import { HttpError } from "./http.ts";
import { linesOf } from "./printed-lines.ts";

export type LogSource = { pod: string; container: string; name: string };
export type PodEvent = { type: "ADDED" | "MODIFIED" | "DELETED"; object: Pod };
/** What is wanted of a log: what the user asked for, all of it, or what was printed from a time on. */
export type From = "as asked" | "the beginning" | { time: string };

export type Following = {
  /** Tells of all pods first, and ends, or throws, with its connection. */
  watched(): AsyncIterable<PodEvent>;
  sourcesOf(pod: Pod): LogSource[];
  /** With the time before each line. Throws an HttpError for what is refused. */
  open(source: LogSource, from: From): Promise<AsyncIterable<Uint8Array>>;
  take(source: LogSource, time: string, line: string): void;
  failed(words: string): void;
  sleep(ms: number): Promise<void>;
};

/** Between two tries. */
const AGAIN_MS = { first: 1_000, most: 30_000 };
/** Whom the server does not know or lets not read, it will not soon; what is not there is gone. */
const isFinal = (error: unknown) => error instanceof HttpError && [401, 403, 404].includes(error.code);

type Attempt = { count: number; hasEnded: boolean };

/** What is known of a container's log. */
type Log = {
  /** The newest that has started; none where the container waits for its first, or the pod is gone. */
  attempt?: Attempt;
  /** The attempt of which all was read. */
  done?: number;
  isRead: boolean;
  /** Of the last line, with how many lines there were of that very time. */
  last?: { time: string; lines: number };
};

/** Goes on until the server refuses to tell of the pods. What had started of these is read as the user asked; what starts later, all of it. */
export async function followLogs(pods: readonly Pod[], parts: Following): Promise<never> {
  const logs = new Map<string, Log>();
  const begun = new Set(
    pods.flatMap((pod) =>
      parts.sourcesOf(pod).flatMap((source) => attemptKey(pod, source, attemptOf(pod, source)) ?? []),
    ),
  );
  let againMs = AGAIN_MS.first;
  for (let said = ""; ; ) {
    try {
      for await (const event of parts.watched()) {
        [againMs, said] = [AGAIN_MS.first, ""];
        tell(event);
      }
      againMs = AGAIN_MS.first; // a server ends a watch now and then
    } catch (error) {
      if (isFinal(error)) throw error;
      if (said !== errorText(error)) parts.failed(`${errorText(error)}: trying again`);
      said = errorText(error);
    }
    await parts.sleep(againMs);
    againMs = Math.min(againMs * 2, AGAIN_MS.most);
  }

  function tell({ type, object: pod }: PodEvent): void {
    for (const source of parts.sourcesOf(pod)) {
      const key = keyOf(pod, source);
      const log = logs.get(key) ?? { isRead: false };
      log.attempt = type === "DELETED" ? undefined : attemptOf(pod, source);
      if (type === "DELETED") logs.delete(key);
      else logs.set(key, log);
      if (!log.isRead) void follow(source, log, begun.has(attemptKey(pod, source, log.attempt) ?? ""), parts);
    }
  }
}

const keyOf = ({ metadata }: Pod, { container }: LogSource) => `${metadata.uid}/${container}`;

const attemptKey = (pod: Pod, source: LogSource, attempt?: Attempt) =>
  attempt && `${keyOf(pod, source)}/${attempt.count}`;

function attemptOf({ status }: Pod, { container }: LogSource): Attempt | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = status;
  const found = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container);
  const { running, terminated } = found?.state ?? {};
  return found && (running ?? terminated) ? { count: found.restartCount, hasEnded: !running } : undefined;
}

/** Until nothing can be read any more of what is known to have started; `isOld`: of that attempt no more than was asked for. */
async function follow(source: LogSource, log: Log, isOld: boolean, parts: Following): Promise<void> {
  log.isRead = true;
  const old = isOld ? log.attempt?.count : undefined;
  let againMs = AGAIN_MS.first;
  for (let said = ""; log.attempt && log.attempt.count !== log.done; ) {
    const { count, hasEnded } = log.attempt;
    const start = count === old ? "as asked" : "the beginning";
    const before = log.last;
    let isOver = hasEnded;
    try {
      await readOn(source, log, before ? { time: before.time } : start, parts);
      said = "";
    } catch (error) {
      isOver = isFinal(error);
      const isGone = error instanceof HttpError && error.code === 404;
      if (!isGone && said !== errorText(error)) parts.failed(`${source.name}: ${errorText(error)}`);
      said = errorText(error);
    }
    if (isOver) {
      log.done = count;
      continue; // it may have been started again meanwhile
    }
    if (log.last !== before) againMs = AGAIN_MS.first;
    await parts.sleep(againMs);
    againMs = Math.min(againMs * 2, AGAIN_MS.most);
  }
  log.isRead = false;
}

/** Times are asked for by whole seconds: what was taken before comes again. */
async function readOn(source: LogSource, log: Log, from: From, parts: Following): Promise<void> {
  const before = log.last;
  let same = 0;
  for await (const text of linesOf(await parts.open(source, from))) {
    const [time, line] = cut(text);
    if (before && time && comparable(time) < comparable(before.time)) continue;
    if (before && time === before.time && ++same <= before.lines) continue;
    if (time) log.last = { time, lines: log.last?.time === time ? log.last.lines + 1 : 1 };
    parts.take(source, time, line);
  }
}
