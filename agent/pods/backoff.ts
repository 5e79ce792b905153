/** A delay that doubles: what it is now, when it was last raised (ms since the epoch), and its most, where that is set. */
export type Backoff = { delayMs: number; since: number; mostMs?: number };

const FIRST_MS = 10_000;
const MOST_MS = 300_000;

/** Twice the longest delay without trouble, and the next delay is the first again. */
const hasExpired = ({ since, mostMs = MOST_MS }: Backoff, at: number) => at - since > 2 * mostMs;

/**
 * The backoff after one more failure at `at`.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
 */
export function raise(backoff: Backoff | undefined, at: number, now: number, mostMs?: number): Backoff {
  const next = !backoff || hasExpired(backoff, at) ? FIRST_MS : backoff.delayMs * 2;
  return { delayMs: Math.min(next, mostMs ?? MOST_MS), since: now, ...(mostMs === undefined ? {} : { mostMs }) };
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
