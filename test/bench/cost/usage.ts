/** What a deployment used, in the units that Cloudflare bills; the metered Worker counts it. */
import { type ObjectUsage, UNUSED } from "../../../worker/lib/facts/usage.ts";

export type Usage = ObjectUsage & {
  /** Requests that reached the Worker. */
  workerRequests: number;
  /** Times that an object's memory was built: it had slept, or was new. */
  wakes: number;
  /** Rows that will be written because of these: the log is compacted, and events expire. */
  rowsLater: number;
};

export const NOTHING: Usage = { ...UNUSED, workerRequests: 0, wakes: 0, rowsLater: 0 };

const combined = (a: Usage, b: Usage, combine: (x: number, y: number) => number): Usage =>
  Object.fromEntries(Object.entries(a).map(([name, x]) => [name, combine(x, b[name as keyof Usage])])) as Usage;

/** What was used between two readings; what is stored is as of the later one. */
export const between = (before: Usage, after: Usage): Usage => ({
  ...combined(after, before, (x, y) => x - y),
  storedBytes: after.storedBytes,
});

export const sum = (a: Usage, b: Usage): Usage => ({
  ...combined(a, b, (x, y) => x + y),
  storedBytes: Math.max(a.storedBytes, b.storedBytes),
});

export const times = (usage: Usage, factor: number): Usage => ({
  ...combined(usage, usage, (x) => x * factor),
  storedBytes: usage.storedBytes,
});
