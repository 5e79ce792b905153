import type { Pod } from "../kinds/core/pod.ts";
import { conditionOf } from "./conditions.ts";

/** Succeeded or Failed: its containers never run again. */
export const isTerminal = (pod: Readonly<Pod>): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Counts towards a workload's replicas: neither finished nor on its way out. */
export const isActive = (pod: Readonly<Pod>): boolean => !isTerminal(pod) && !pod.metadata.deletionTimestamp;

/** Deleted, but not gone: its containers may run still. */
export const isTerminating = (pod: Readonly<Pod>): boolean =>
  !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

export const isReady = (pod: Readonly<Pod>): boolean => conditionOf(pod.status?.conditions, "Ready")?.status === "True";

/** Since when it is ready, ms; undefined when it is not. */
export function readySince(pod: Readonly<Pod>): number | undefined {
  const ready = conditionOf(pod.status?.conditions, "Ready");
  return ready?.status === "True" ? Date.parse(ready.lastTransitionTime ?? "") || 0 : undefined;
}

/** How long until a pod has been ready for `minReadySeconds`, ms: 0 when it is available, undefined when not ready. */
export function untilAvailable(pod: Readonly<Pod>, minReadySeconds: number, now: number): number | undefined {
  const since = readySince(pod);
  if (since === undefined) return undefined;
  return minReadySeconds === 0 ? 0 : Math.max(0, since + minReadySeconds * 1000 - now);
}

export const isAvailable = (pod: Readonly<Pod>, minReadySeconds: number, now: number): boolean =>
  untilAvailable(pod, minReadySeconds, now) === 0;
