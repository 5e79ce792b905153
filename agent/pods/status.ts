import type {
  CoreV1Container,
  CoreV1ContainerState,
  CoreV1ContainerStatus,
  CoreV1Pod,
  CoreV1PodCondition,
  CoreV1PodStatus,
} from "../../worker/kinds/generated/types.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import { type Attempt, type ContainerMemory, isRunning, type PodMemory } from "./memory.ts";
import { isInitialized, isOver, isSidecar, type Phase, phaseOf } from "./phase.ts";

/** What a status holds that neither the pod nor the memory of it tells. */
export type StatusContext = { hostIP: string; now: number; deleted: boolean };

/**
 * The status of a pod as the kubelet reports it.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus
 */
export function computeStatus(pod: CoreV1Pod, memory: PodMemory, context: StatusContext): CoreV1PodStatus {
  const phase = phaseOf(pod, memory, context.deleted);
  const podIP = pod.spec.hostNetwork ? (memory.sandbox ? context.hostIP : undefined) : memory.sandbox?.ip;
  const statuses = (containers: readonly CoreV1Container[] | undefined, init: boolean) =>
    containers?.map((c) => containerStatus(pod, c, memory, phase, init));
  const initStatuses = statuses(pod.spec.initContainers, true);
  const appStatuses = statuses(pod.spec.containers, false) ?? [];
  const ephemeral = statuses(pod.spec.ephemeralContainers, false);
  const verdict = memory.ended;
  return {
    phase,
    ...(verdict ? { reason: verdict.reason, message: verdict.message } : {}),
    ...(pod.status?.qosClass ? { qosClass: pod.status.qosClass } : {}),
    startTime: timestamp(memory.startedAt),
    hostIP: context.hostIP,
    hostIPs: [{ ip: context.hostIP }],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    conditions: conditions(pod, memory, phase, [...(initStatuses ?? []), ...appStatuses], context),
    ...(initStatuses?.length ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses: appStatuses,
    ...(ephemeral?.length ? { ephemeralContainerStatuses: ephemeral } : {}),
  };
}

export function isReady(container: CoreV1Container, known: ContainerMemory | undefined): boolean {
  if (!isRunning(known) || !known.started) return false;
  return container.readinessProbe ? known.ready === true : true;
}

function containerStatus(
  pod: CoreV1Pod,
  container: CoreV1Container,
  memory: PodMemory,
  phase: Phase,
  init: boolean,
): CoreV1ContainerStatus {
  const known = memory.containers[container.name];
  const { current, previous } = known ?? {};
  const waits = known?.waiting !== undefined && current?.exit !== undefined && !isOver(phase);
  const ready =
    init && !isSidecar(container) ? current?.exit?.code === 0 && current.exit !== undefined : isReady(container, known);
  const last = waits ? current : previous;
  const running = isRunning(known);
  return {
    name: container.name,
    state: stateOf(pod, known, waits),
    lastState: last?.exit ? terminated(last) : {},
    ready,
    restartCount: current?.number ?? 0,
    image: current?.imageName ?? container.image ?? "",
    imageID: current?.imageID ?? "",
    ...(current?.id ? { containerID: `containerd://${current.id}` } : {}),
    ...resourcesOf(container, current),
    started: running && (init && !isSidecar(container) ? true : known.started === true),
  };
}

/** What a container has, and what it may have of the node's. */
function resourcesOf(container: CoreV1Container, current: Attempt | undefined): Partial<CoreV1ContainerStatus> {
  if (!current) return {};
  const resources = (current.exit ? undefined : current.resources) ?? container.resources ?? {};
  return { resources, ...(container.resources?.requests && { allocatedResources: container.resources.requests }) };
}

function stateOf(pod: CoreV1Pod, known: ContainerMemory | undefined, waits: boolean): CoreV1ContainerState {
  const current = known?.current;
  if (current && !waits) {
    if (current.exit) return terminated(current);
    return { running: { startedAt: timestamp(current.startedAt) } };
  }
  const reason = known?.waiting?.reason ?? (pod.spec.initContainers?.length ? "PodInitializing" : "ContainerCreating");
  return { waiting: { reason, ...(known?.waiting?.message ? { message: known.waiting.message } : {}) } };
}

function terminated(attempt: Attempt): CoreV1ContainerState {
  const { exit } = attempt;
  if (!exit) return {};
  return {
    terminated: {
      exitCode: exit.code,
      ...(exit.signal ? { signal: exit.signal } : {}),
      reason: exit.reason,
      ...(exit.message ? { message: exit.message } : {}),
      startedAt: timestamp(attempt.startedAt),
      finishedAt: timestamp(exit.finishedAt),
      ...(attempt.id ? { containerID: `containerd://${attempt.id}` } : {}),
    },
  };
}

type Verdict = { type: string; status: "True" | "False"; reason?: string; message?: string };

/** Conditions in the kubelet's order; a transition time changes only with the status. */
function conditions(
  pod: CoreV1Pod,
  memory: PodMemory,
  phase: Phase,
  statuses: readonly CoreV1ContainerStatus[],
  context: StatusContext,
): CoreV1PodCondition[] {
  const containers = containersReady(pod, phase, statuses);
  const verdicts: Verdict[] = [
    { type: "PodReadyToStartContainers", status: memory.sandbox?.running ? "True" : "False" },
    initialized(pod, memory, phase),
    { ...containers, type: "Ready", ...gates(pod, containers) },
    { ...containers, type: "ContainersReady" },
  ];
  const found = verdicts.map((verdict): CoreV1PodCondition => {
    const before = [...memory.conditions, ...(pod.status?.conditions ?? [])].find((c) => c.type === verdict.type);
    const kept = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    return {
      type: verdict.type,
      status: verdict.status,
      lastTransitionTime: kept ?? timestamp(context.now),
      ...(verdict.reason ? { reason: verdict.reason } : {}),
      ...(verdict.message ? { message: verdict.message } : {}),
      ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    };
  });
  memory.conditions = found;
  return found;
}

function initialized(pod: CoreV1Pod, memory: PodMemory, phase: Phase): Verdict {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  if (isInitialized(pod, memory)) return { type: "Initialized", status: "True" };
  const pending = (pod.spec.initContainers ?? []).filter((c) => {
    const known = memory.containers[c.name];
    return isSidecar(c) ? !(isRunning(known) && known.started) : known?.current?.exit?.code !== 0;
  });
  return {
    type: "Initialized",
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${pending.map((c) => c.name).join(" ")}]`,
  };
}

function containersReady(pod: CoreV1Pod, phase: Phase, statuses: readonly CoreV1ContainerStatus[]): Verdict {
  if (phase === "Succeeded") return { type: "", status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type: "", status: "False", reason: "PodFailed" };
  const needed = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const unready = needed.filter((c) => !statuses.find((s) => s.name === c.name)?.ready).map((c) => c.name);
  if (!unready.length) return { type: "", status: "True" };
  return {
    type: "",
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate */
function gates(pod: CoreV1Pod, containers: Verdict): Partial<Verdict> {
  if (containers.status !== "True") return {};
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length ? { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") } : {};
}

/**
 * What to send so that the served status becomes `next`: null for what is no more. `before` is what was last
 * acknowledged. Conditions are merged by type, so that those of others stay.
 */
export function statusPatch(before: CoreV1PodStatus | undefined, next: CoreV1PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = { ...next };
  for (const key of Object.keys(before ?? {})) if (!(key in next)) patch[key] = null;
  const oldIP = before?.podIP;
  if (oldIP && oldIP !== next.podIP && next.podIPs) patch.podIPs = [...next.podIPs, { $patch: "replace" }];
  const told = new Map(before?.conditions?.map((condition) => [condition.type, Object.keys(condition)]));
  const cleared = (type: string) => Object.fromEntries((told.get(type) ?? []).map((key) => [key, null]));
  if (next.conditions) patch.conditions = next.conditions.map((c) => ({ ...cleared(c.type), ...c }));
  return patch;
}
