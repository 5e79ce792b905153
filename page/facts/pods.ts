/** What a pod is doing, in kubectl's words. */
import type { ContainerStatus, Pod } from "../api/objects.ts";

export type Mood = "good" | "busy" | "bad" | "done";

/** The STATUS that `kubectl get pods` shows. */
export function statusOf(pod: Pod): string {
  const { status } = pod;
  const isOver = status.phase === "Succeeded" || status.phase === "Failed";
  if (pod.metadata.deletionTimestamp && !isOver) return "Terminating";
  const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.reason === "SchedulingGated") return "SchedulingGated";
  const inits = status.initContainerStatuses ?? [];
  const sidecars = new Set(pod.spec.initContainers?.filter((c) => c.restartPolicy === "Always").map((c) => c.name));
  const ended = (c: ContainerStatus) => c.state?.terminated?.exitCode === 0 || (sidecars.has(c.name) && c.ready);
  const stuck = inits.findIndex((c) => !ended(c));
  const isInitialized = status.conditions?.some(({ type, status: is }) => type === "Initialized" && is === "True");
  if (stuck >= 0 && !isInitialized) {
    const state = inits[stuck]?.state;
    const reason = state?.terminated?.reason ?? state?.waiting?.reason;
    return reason && reason !== "PodInitializing" ? `Init:${reason}` : `Init:${stuck}/${inits.length}`;
  }
  const containers = status.containerStatuses ?? [];
  if (
    containers.some(({ state }) => state?.running) &&
    containers.some(({ state }) => state?.terminated?.exitCode === 0)
  )
    return isReady(pod) ? "Running" : "NotReady";
  for (const { state } of containers) {
    if (state?.waiting?.reason) return state.waiting.reason;
    const end = state?.terminated;
    if (end) return end.reason ?? `ExitCode:${end.exitCode}`;
  }
  return status.reason ?? status.phase ?? "Unknown";
}

export const isReady = (pod: Pod): boolean =>
  pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

export const restartsOf = (pod: Pod): number =>
  (pod.status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);

const BAD = /BackOff|^Err|Error|Invalid|OOMKilled|Evicted|Failed|Unknown|CannotRun|ExitCode/;

export function moodOf(pod: Pod): Mood {
  const status = statusOf(pod);
  if (pod.status.phase === "Succeeded" || status === "Completed") return "done";
  if (BAD.test(status)) return "bad";
  return status === "Running" && isReady(pod) ? "good" : "busy";
}
