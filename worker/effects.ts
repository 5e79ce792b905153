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
