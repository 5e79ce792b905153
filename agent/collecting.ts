import { constants, type NodeGCPerformanceDetail, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import type { Timers } from "./effects.ts";

/** After so long without a collection of V8's own nothing much goes on, ms. */
const QUIET_MS = 10_000;
/** Each of V8's collections stands for some hundred kilobytes that were asked for: fewer are not worth one of all. */
const LEAST = 4;

/**
 * Collects all garbage once it is quiet after work: V8 puts that off until it needs room, and gives back no memory before.
 * Where nothing happens nothing is done.
 */
export function collectWhenQuiet({ after }: Pick<Timers, "after">): void {
  const { gc: collect } = globalThis; // there by --expose-gc
  if (!collect) return;
  let seen = 0;
  let cancel = () => {};
  new PerformanceObserver((list) => {
    seen += list.getEntries().filter((entry) => !isAsked(entry)).length;
    cancel();
    if (seen < LEAST) return;
    cancel = after(QUIET_MS, () => {
      seen = 0;
      void collect();
    });
  }).observe({ entryTypes: ["gc"] });
}

function isAsked(entry: PerformanceEntry & { detail?: NodeGCPerformanceDetail }): boolean {
  return ((entry.detail?.flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
}
