/** What an object used of what Cloudflare bills. */
export type ObjectUsage = {
  /** Requests that reached it; opening a socket is one. */
  objectRequests: number;
  alarms: number;
  /** Messages received on sockets; pings that the platform answers are none. */
  messages: number;
  /** Time in which it could not have slept: an event being handled, or work put off to a later turn, in ms. */
  awakeMs: number;
  rowsRead: number;
  /** An alarm that is set counts as one. */
  rowsWritten: number;
  /** The database's size now. */
  storedBytes: number;
};

export const UNUSED: ObjectUsage = {
  objectRequests: 0,
  alarms: 0,
  messages: 0,
  awakeMs: 0,
  rowsRead: 0,
  rowsWritten: 0,
  storedBytes: 0,
};

/** Each figure of `of` with that of `by`. */
export const combined = (of: ObjectUsage, by: ObjectUsage, combine: (x: number, y: number) => number): ObjectUsage =>
  Object.fromEntries(
    (Object.keys(UNUSED) as (keyof ObjectUsage)[]).map((name) => [name, combine(of[name], by[name])]),
  ) as ObjectUsage;

/** `GET /skerry/usage`. */
export type MonthUsage = ObjectUsage & {
  /** As `2026-11`, UTC. */
  month: string;
  /** Since when it is counted in this month, RFC 3339. */
  since: string;
};
