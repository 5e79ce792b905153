import { randomUUID } from "node:crypto";
import type { Effects } from "../worker/lib/effects.ts";

/** Timers of the agent, passed in so that its planning can run under a simulator's clock. */
export type Timers = {
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `body` once after `ms`; returns what cancels it. */
  after(ms: number, body: () => void): () => void;
};

/** `now` begins as the machine's clock and then runs evenly. */
export type SteadyEffects = Effects &
  Timers & {
    /** What the machine's clock says, which may be wrong and may be set, ms since the epoch. */
    wall(): number;
  };

export const effects: Effects & Timers = {
  now: () => Date.now(),
  random: () => Math.random(),
  uid: () => randomUUID(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(done, ms);
      function done() {
        signal?.removeEventListener("abort", abort);
        resolve();
      }
      function abort() {
        clearTimeout(timer);
        reject(signal?.reason);
      }
      signal?.addEventListener("abort", abort, { once: true });
    });
  },
  after(ms, body) {
    const timer = setTimeout(body, ms);
    return () => clearTimeout(timer);
  },
};

/** Calls `body` when what had come to this process was read: after a stall timers are called before that. */
export const afterPoll = (body: () => void): void => void setImmediate(body);

export const steadyEffects: SteadyEffects = {
  ...effects,
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  wall: () => Date.now(),
};
