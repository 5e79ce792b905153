import type { Effects } from "../worker/lib/effects.ts";
import type { SteadyEffects, Timers } from "./effects.ts";

/** Smaller differences are the way of the message, not a wrong clock, in ms. */
const TOLERANCE_MS = 2_000;

/** The agent's time. It is set by the cluster's and else runs evenly, whatever becomes of the machine's clock. */
export type AgentClock = Effects &
  Timers & {
    /** A moment that another program told by the machine's clock (ms since the epoch), in the agent's time; never ahead. */
    fromWall(ms: number): number;
  };

/**
 * This machine's clock, set right by the cluster's. A small machine without a battery wakes up in 1970; what it reports
 * shall still carry the cluster's time, and a wrong clock is no reason not to start.
 */
export function clusterClock(machine: SteadyEffects): AgentClock & { setBy(clusterNow: number): void } {
  let offset = 0;
  const now = () => machine.now() + offset;
  return {
    ...machine,
    now,
    fromWall: (ms) => Math.min(ms - machine.wall(), 0) + now(),
    setBy(clusterNow) {
      const wall = machine.wall();
      offset = (Math.abs(clusterNow - wall) > TOLERANCE_MS ? clusterNow : wall) - machine.now();
    },
  };
}
