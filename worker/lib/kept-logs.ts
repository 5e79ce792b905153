/** Logs that stay when their pod or its node is gone: what a Namespace says of them, and what is told of those that lie there. */
import { parseQuantity, QuantityError, wholeValue } from "./quantity.ts";
import { type FieldError, invalidValue } from "./status.ts";

/** Of a Namespace: for how long logs of its pods are kept, in days, as `7d`. Pods made meanwhile get the same. */
export const KEEP_LOGS = "skerry.dev/keep-logs";
/** Of a Namespace: how much of them, compressed, as a quantity of bytes. The oldest go first. */
export const KEEP_LOGS_SIZE = "skerry.dev/keep-logs-size";

const DEFAULT_BYTES = 1024 ** 3;
const DAYS = /^([1-9]\d{0,3})d$/;

export type KeepLogs = { days: number; bytes: number };

/** What a node shows with what it sends, as the Worker has signed it. `until` is in ms since the epoch. */
export type LogGrant = KeepLogs & { cluster: string; namespace: string; pod: string; uid: string; until: number };

/** Whether a path asks leave to send the logs of a pod, as nodes do. */
export const isLogGrant = (path: string): boolean => /^\/skerry\/logs\/[^/]+\/[^/]+\/grant$/.test(path);

type Annotations = Readonly<Record<string, string>> | undefined;

/** Undefined where none are kept. */
export function keepLogsOf(annotations: Annotations): KeepLogs | undefined {
  const { [KEEP_LOGS]: days = "", [KEEP_LOGS_SIZE]: size } = annotations ?? {};
  const [, number] = DAYS.exec(days) ?? [];
  const bytes = size === undefined ? DEFAULT_BYTES : bytesOf(size);
  return number === undefined || bytes === undefined ? undefined : { days: Number(number), bytes };
}

export function* keepLogsProblems(annotations: Annotations): Iterable<FieldError> {
  const { [KEEP_LOGS]: days, [KEEP_LOGS_SIZE]: size } = annotations ?? {};
  if (days !== undefined && !DAYS.test(days))
    yield invalidValue(`metadata.annotations[${KEEP_LOGS}]`, days, "must be a number of days from 1d to 9999d");
  if (size !== undefined && bytesOf(size) === undefined)
    yield invalidValue(`metadata.annotations[${KEEP_LOGS_SIZE}]`, size, "must be a positive quantity of bytes");
}

function bytesOf(size: string): number | undefined {
  try {
    const bytes = wholeValue(parseQuantity(size));
    return bytes > 0 ? bytes : undefined;
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}
