/** What a pod is doing, in kubectl's words. */
import type { ContainerStatus, Pod } from "../api/objects.ts";

export type Mood = "good" | "busy" | "bad" | "done";

/** The STATUS that `kubectl get pods` shows. */
export function statusOf(pod: Pod): string {
  if (pod.metadata.deletionTimestamp) return "Terminating";
  const { status } = pod;
  const inits = status.initContainerStatuses ?? [];
  const sidecars = new Set(pod.spec.initContainers?.filter((c) => c.restartPolicy === "Always").map((c) => c.name));
  const ended = (c: ContainerStatus) => c.state?.terminated?.exitCode === 0 || (sidecars.has(c.name) && c.ready);
  const stuck = inits.findIndex((c) => !ended(c));
  if (stuck >= 0 && status.phase === "Pending") {
    const state = inits[stuck]?.state;
    const reason = state?.terminated?.reason ?? state?.waiting?.reason;
    return reason && reason !== "PodInitializing" ? `Init:${reason}` : `Init:${stuck}/${inits.length}`;
  }
  for (const { state } of status.containerStatuses ?? []) {
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
