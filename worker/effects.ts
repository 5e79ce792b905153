import type { Effects } from "./lib/effects.ts";

/** The platform's clock, chance, ids and timers: the only place in the Worker that reads them. */
export const effects = {
  now: () => Date.now(),
  random: () => Math.random(),
  uid: () => crypto.randomUUID(),
  /** Calls `body` once after `ms`; returns what cancels it. Keeps the object awake meanwhile. */
  after(ms: number, body: () => void): () => void {
    const timer = setTimeout(body, ms);
    return () => clearTimeout(timer);
  },
} satisfies Effects & { after(ms: number, body: () => void): () => void };

/** A signal that aborts after so many ms; `end` ends the wait. */
export function deadline(ms: number): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const end = effects.after(ms, () => controller.abort(new Error("context deadline exceeded")));
  return { signal: controller.signal, end };
}
