import type { CoreV1Container, CoreV1Pod, CoreV1PodCondition } from "../generated/types.ts";

/** What phases and conditions say about a pod. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ */
type PodLike = Pick<CoreV1Pod, "metadata" | "status">;

export const podCondition = (pod: Pick<CoreV1Pod, "status">, type: string): CoreV1PodCondition | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type);

export const isPodReady = (pod: Pick<CoreV1Pod, "status">): boolean => podCondition(pod, "Ready")?.status === "True";

/** Ended for good: no container of it will run again. */
export const isPodTerminal = (pod: Pick<CoreV1Pod, "status">): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Counts toward a workload's replicas: neither ended nor on its way out. */
export const isPodActive = (pod: PodLike): boolean => !isPodTerminal(pod) && !pod.metadata?.deletionTimestamp;

/** Ready for at least `minReadySeconds`. `now` in ms since the epoch. */
export function isPodAvailable(pod: Pick<CoreV1Pod, "status">, minReadySeconds: number, now: number): boolean {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return false;
  if (minReadySeconds <= 0) return true;
  return !!ready.lastTransitionTime && Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 <= now;
}

/** When a ready pod will have been ready for `minReadySeconds`, in ms since the epoch; undefined while unready. */
export function podAvailableAt(pod: Pick<CoreV1Pod, "status">, minReadySeconds: number): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True" || !ready.lastTransitionTime) return undefined;
  return Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000;
}

/** An init container that keeps running beside the others. */
export const isSidecar = (container: Pick<CoreV1Container, "restartPolicy"> | undefined): boolean =>
  container?.restartPolicy === "Always";

export const hasSchedulingGates = (pod: Pick<CoreV1Pod, "spec">): boolean =>
  (pod.spec?.schedulingGates?.length ?? 0) > 0;
