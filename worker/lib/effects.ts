/**
 * Time and chance, passed in so that the whole cluster can run under a simulator's clock and seed.
 * The only production implementations are `worker/effects.ts` and `agent/effects.ts`.
 */
export type Effects = {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** A new RFC 4122 version 4 UUID. */
  uid(): string;
};

/** The last moment that four digits of a year can name, ms; times moved by a user's number may lie beyond, or before 0. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59);

/** RFC 3339 with whole seconds, as `metav1.Time` is written: `2026-01-02T03:04:05Z`. */
export function timestamp(now: number): string {
  return `${new Date(Math.max(0, Math.min(now, LATEST))).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with microseconds, as `metav1.MicroTime` is written: `2026-01-02T03:04:05.678000Z`. */
export function microTimestamp(now: number): string {
  return new Date(now).toISOString().replace("Z", "000Z");
}
