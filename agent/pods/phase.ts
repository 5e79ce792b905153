import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { type ContainerMemory, isRunning, type PodMemory } from "./memory.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

/** An init container that goes on beside the others. https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ */
export const isSidecar = (container: CoreV1Container) => container.restartPolicy === "Always";

export const sidecars = (pod: CoreV1Pod) => (pod.spec.initContainers ?? []).filter(isSidecar);

/** Whether a container that ended this way is to be started again. */
export function restarts(pod: CoreV1Pod, container: CoreV1Container, exitCode: number, init: boolean): boolean {
  const policy = pod.spec.restartPolicy ?? "Always";
  if (isSidecar(container) && init) return true;
  if (init) return exitCode !== 0 && policy !== "Never";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** In the pod's present sandbox: a new sandbox runs the init containers again. */
export function initState(
  container: CoreV1Container,
  memory: PodMemory,
): "none" | "waiting" | "running" | "done" | "failed" {
  const known = memory.containers[container.name];
  if (!known?.current || (memory.sandbox && known.current.sandbox !== memory.sandbox.id)) return "none";
  if (isSidecar(container)) return isRunning(known) ? (known.started ? "done" : "running") : "waiting";
  if (!known.current.exit) return "running";
  return known.current.exit.code === 0 ? "done" : "failed";
}

/** All init containers have done their part: sidecars have started, the others ended well. */
export function isInitialized(pod: CoreV1Pod, memory: PodMemory): boolean {
  return anyAppStarted(pod, memory) || (pod.spec.initContainers ?? []).every((c) => initState(c, memory) === "done");
}

/** App containers start only after init containers, so one that ran in this sandbox tells that init is over. */
const anyAppStarted = (pod: CoreV1Pod, memory: PodMemory) =>
  pod.spec.containers.some((c) => {
    const current = memory.containers[c.name]?.current;
    return current !== undefined && (!memory.sandbox || current.sandbox === memory.sandbox.id);
  });

const ended = (container: ContainerMemory | undefined) => container?.current?.exit;

/**
 * What the cluster was told to be over stays so, also on a disk that is older than its end. `ending` is for a pod that is being deleted: nothing of it is started again, whatever its restart policy.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function phaseOf(pod: CoreV1Pod, memory: PodMemory, ending = false): Phase {
  const told = pod.status?.phase;
  if (told && isOver(told)) return told;
  if (memory.ended) return "Failed";
  const policy = pod.spec.restartPolicy ?? "Always";
  if (!isInitialized(pod, memory)) {
    const failed = (pod.spec.initContainers ?? []).some(
      (c) => !isSidecar(c) && policy === "Never" && (ended(memory.containers[c.name])?.code ?? 0) !== 0,
    );
    return failed ? "Failed" : "Pending";
  }
  const apps = pod.spec.containers.map((c) => memory.containers[c.name]);
  if (apps.some((c) => !c?.current)) return "Pending";
  if (apps.some(isRunning)) return "Running";
  const exits = apps.map((c) => ended(c)?.code ?? 0);
  if (ending) return exits.every((code) => code === 0) ? "Succeeded" : "Failed";
  if (policy === "Always" || (policy === "OnFailure" && exits.some((code) => code !== 0))) return "Running";
  return exits.every((code) => code === 0) ? "Succeeded" : "Failed";
}

export const isOver = (phase: string): phase is "Succeeded" | "Failed" => phase === "Succeeded" || phase === "Failed";
