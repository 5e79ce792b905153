/** A delay that doubles: what it is now and when it was last raised (ms since the epoch). */
export type Backoff = { delayMs: number; since: number };

const FIRST_MS = 10_000;
const MOST_MS = 300_000;

/** Twice the longest delay without trouble, and the next delay is the first again. */
const hasExpired = (backoff: Backoff, at: number) => at - backoff.since > 2 * MOST_MS;

/**
 * The backoff after one more failure at `at`.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
 */
export function raise(backoff: Backoff | undefined, at: number, now: number): Backoff {
  if (!backoff || hasExpired(backoff, at)) return { delayMs: FIRST_MS, since: now };
  return { delayMs: Math.min(backoff.delayMs * 2, MOST_MS), since: now };
}

/** Until when what failed at `at` has to wait; `at` itself when it need not. */
export function heldUntil(backoff: Backoff | undefined, at: number): number {
  return !backoff || hasExpired(backoff, at) ? at : at + backoff.delayMs;
}

/** 10000 → `10s`, 80000 → `1m20s`: as Go prints durations. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
