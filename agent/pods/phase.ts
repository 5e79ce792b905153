import type { CoreV1Container, CoreV1ContainerRestartRule, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { type ContainerMemory, isRunning, type PodMemory } from "./memory.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

/** An init container that goes on beside the others. https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ */
export const isSidecar = (container: CoreV1Container) => container.restartPolicy === "Always";

export const sidecars = (pod: CoreV1Pod) => (pod.spec.initContainers ?? []).filter(isSidecar);

/**
 * Whether a container that ended this way is to be started again: by its own rules, its own policy, its pod's policy.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy-containers
 */
export function restarts(pod: CoreV1Pod, container: CoreV1Container, exitCode: number, init: boolean): boolean {
  if (init && exitCode === 0 && !isSidecar(container)) return false;
  const rule = container.restartPolicyRules?.find((each) => matches(each, exitCode));
  if (rule?.action === "Restart") return true;
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

function matches({ exitCodes }: CoreV1ContainerRestartRule, exitCode: number): boolean {
  if (!exitCodes) return false;
  return (exitCodes.values ?? []).includes(exitCode) === (exitCodes.operator === "In");
}

const exitOf = (container: ContainerMemory | undefined) => container?.current?.exit;

/** A container began in the pod's present sandbox: a new one runs all init containers again. */
export const isHere = (known: ContainerMemory | undefined, { sandbox }: PodMemory): boolean =>
  known?.current !== undefined && (!sandbox || known.current.sandbox === sandbox.id);

/** App containers start only after init containers, so one that ran in this sandbox tells that init is over. */
const anyAppStarted = (pod: CoreV1Pod, memory: PodMemory) =>
  pod.spec.containers.some(({ name }) => isHere(memory.containers[name], memory));

/** Something of the pod runs. */
export const anyRuns = (memory: PodMemory): boolean => Object.values(memory.containers).some(isRunning);

const isEndedForGood = (
  pod: CoreV1Pod,
  container: CoreV1Container,
  known: ContainerMemory | undefined,
  init = false,
) => {
  const exit = exitOf(known);
  return exit !== undefined && !known?.current?.replaced && !restarts(pod, container, exit.code, init);
};

const isInitFailed = (pod: CoreV1Pod, memory: PodMemory): boolean =>
  (pod.spec.initContainers ?? []).some((container) => {
    const known = memory.containers[container.name];
    return exitOf(known)?.code !== 0 && isEndedForGood(pod, container, known, true);
  });

/** Nothing of the pod is to be started any more; what still runs of it, as sidecars do, is to be ended. */
export function isDone(pod: CoreV1Pod, memory: PodMemory): boolean {
  if (isOver(phaseOf(pod, memory))) return true;
  return pod.spec.containers.every((c) => isEndedForGood(pod, c, memory.containers[c.name]));
}

/**
 * What the cluster was told to be over stays so, also on a disk that is older than its end. `terminal` is for a pod of
 * which nothing is started again, whatever its restart policy, as it is being deleted and has ended.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function phaseOf(pod: CoreV1Pod, memory: PodMemory, terminal = false): Phase {
  const told = pod.status?.phase;
  if (told && isOver(told)) return told;
  return memory.ended ? "Failed" : phaseOfContainers(pod, memory, terminal);
}

/** The phase that the containers alone make. */
export function phaseOfContainers(pod: CoreV1Pod, memory: PodMemory, terminal = false): Phase {
  if (isInitFailed(pod, memory)) return "Failed";
  const apps = pod.spec.containers.map(({ name }) => memory.containers[name]);
  if (isInitPending(pod, memory) || apps.some((known) => !known?.current)) return "Pending";
  if (apps.some(isRunning) || sidecars(pod).some(({ name }) => isRunning(memory.containers[name]))) return "Running";
  const isSuccess = apps.every((known) => exitOf(known)?.code === 0);
  const isForGood = pod.spec.containers.every((c) => isEndedForGood(pod, c, memory.containers[c.name]));
  return terminal || isForGood ? (isSuccess ? "Succeeded" : "Failed") : "Running";
}

function isInitPending(pod: CoreV1Pod, memory: PodMemory): boolean {
  const started = anyAppStarted(pod, memory);
  return (pod.spec.initContainers ?? []).some((container) => {
    const known = memory.containers[container.name];
    if (!known?.current) return !started;
    if (!isRunning(known)) return false;
    return isSidecar(container) ? !started && !known.started : true;
  });
}

export const isOver = (phase: string): phase is "Succeeded" | "Failed" => phase === "Succeeded" || phase === "Failed";
