import type { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal, podAvailableAt } from "../kinds/core/pod-conditions.ts";
import { withCondition } from "./conditions.ts";

/** Deleted, but not gone: its containers may run still. */
export const isTerminating = (pod: Readonly<Pod>): boolean =>
  !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;

/** Since when it is ready, ms; undefined when it is not. */
export const readySince = (pod: Readonly<Pod>): number | undefined => podAvailableAt(pod, 0);

/**
 * The status of a pod that is to go, with the reason: a Job may not count it as a failure.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 */
export function disrupted({ status }: Readonly<Pod>, reason: string, message: string, now: number): Pod["status"] {
  const condition = { type: "DisruptionTarget", status: "True", reason, message };
  return { ...status, conditions: withCondition(status?.conditions, condition, now) };
}
