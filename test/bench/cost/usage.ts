/** What a deployment used, in the units that Cloudflare bills; the metered Worker counts it. */
export type Usage = {
  /** Requests that reached the Worker. */
  workerRequests: number;
  /** Requests that reached a Durable Object; opening a socket is one. */
  objectRequests: number;
  alarms: number;
  /** Messages received on sockets; pings that the platform answers are none. */
  messages: number;
  /** Times that an object's memory was built: it had slept, or was new. */
  wakes: number;
  /** Time in which an object could not have slept: an event being handled, or work put off to the next turn, in ms. */
  awakeMs: number;
  rowsRead: number;
  /** An alarm that is set counts as one. */
  rowsWritten: number;
  /** Rows that will be written because of these: the log is compacted, and events expire. */
  rowsLater: number;
  /** The databases' size now. */
  storedBytes: number;
};

export const NOTHING: Usage = {
  workerRequests: 0,
  objectRequests: 0,
  alarms: 0,
  messages: 0,
  wakes: 0,
  awakeMs: 0,
  rowsRead: 0,
  rowsWritten: 0,
  rowsLater: 0,
  storedBytes: 0,
};

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
