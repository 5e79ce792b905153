import type { Effects } from "../worker/lib/effects.ts";
import type { Timers } from "./effects.ts";

/** Smaller differences are the way of the message, not a wrong clock, in ms. */
const TOLERANCE_MS = 2_000;

/**
 * This machine's clock, set right by the cluster's. A small machine without a battery wakes up in 1970; what it reports
 * shall still carry the cluster's time, and a wrong clock is no reason not to start.
 */
export function clusterClock(effects: Effects & Timers): Effects & Timers & { setBy(clusterNow: number): void } {
  let offset = 0;
  return {
    ...effects,
    now: () => effects.now() + offset,
    setBy(clusterNow) {
      const difference = clusterNow - effects.now();
      offset = Math.abs(difference) > TOLERANCE_MS ? difference : 0;
    },
  };
}
