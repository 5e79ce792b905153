import type {
  CoreV1ContainerStatus,
  CoreV1Pod,
  CoreV1PodCondition,
  CoreV1PodStatus,
} from "../../worker/kinds/generated/types.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import { type ContainerStatuses, containerStatuses, terminate } from "./container-status.ts";
import { addressesOf, type PodMemory } from "./memory.ts";
import { anyRuns, isOver, isSidecar, type Phase, phaseOf, phaseOfContainers } from "./phase.ts";

/** What a status holds that neither the pod nor the memory of it tells. */
export type StatusContext = {
  /** The node's, one a family. */
  hostIPs: readonly string[];
  now: number;
  deleted: boolean;
  /** See `PodVolumes`. */
  recursiveReadOnly?: boolean;
};

/**
 * The status of a pod as the kubelet reports it.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus
 */
export function computeStatus(pod: CoreV1Pod, memory: PodMemory, context: StatusContext): CoreV1PodStatus {
  const verdict = verdictOf(pod, memory, context.deleted);
  const generation = pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {};
  const common = {
    ...toldPhase(pod, memory, verdict),
    ...(pod.status?.qosClass ? { qosClass: pod.status.qosClass } : {}),
    startTime: timestamp(memory.startedAt),
    ...generation,
  };
  if (memory.ended?.rejected) return common;
  const { phase } = verdict;
  const now = containerStatuses(pod, memory, phase, context);
  const { init, app, ephemeral } = verdict.isFinal ? terminate(pod, now) : now;
  const { hostIPs } = context;
  const podIPs = pod.spec.hostNetwork ? (memory.sandbox ? hostIPs : []) : addressesOf(memory.sandbox);
  return {
    ...common,
    ...(hostIPs[0] ? { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) } : {}),
    ...(podIPs[0] ? { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    conditions: conditions(pod, memory, verdict, { init, app, ephemeral }, context.now),
    ...(init.length ? { initContainerStatuses: init } : {}),
    containerStatuses: app,
    ...(ephemeral.length ? { ephemeralContainerStatuses: ephemeral } : {}),
  };
}

/** What a pod has come to; `isFinal` when nothing of it runs and nothing is started again. */
type PodVerdict = { phase: Phase; isFinal: boolean };

function verdictOf(pod: CoreV1Pod, memory: PodMemory, deleted: boolean): PodVerdict {
  const runs = anyRuns(memory);
  const phase = phaseOf(pod, memory, deleted && !runs);
  if (deleted && !runs) return { phase: isOver(phase) ? phase : "Failed", isFinal: true };
  return { phase, isFinal: isOver(phase) && !runs };
}

/**
 * A pod is said to be over only when nothing of it runs any more. A reason and message that others gave stay as long as
 * the phase does.
 */
function toldPhase(pod: CoreV1Pod, memory: PodMemory, { phase, isFinal }: PodVerdict): Partial<CoreV1PodStatus> {
  const { phase: before, reason, message } = pod.status ?? {};
  if (memory.ended && (isFinal || memory.ended.rejected)) {
    return { phase, reason: memory.ended.reason, message: memory.ended.message };
  }
  const told = isOver(phase) && !isFinal && !isOver(before ?? "") ? phaseWhileItEnds(pod, memory) : phase;
  return { phase: told, ...(told === before ? { ...(reason && { reason }), ...(message && { message }) } : {}) };
}

function phaseWhileItEnds(pod: CoreV1Pod, memory: PodMemory): string {
  const phase = phaseOfContainers(pod, memory);
  return isOver(phase) ? (pod.status?.phase ?? "Pending") : phase;
}

type Verdict = {
  type: string;
  status: "True" | "False";
  reason?: string;
  message?: string;
  /** What it was judged by, when that was not the pod as it is now. */
  generation?: number;
  /** Since when it is so, where the status alone does not tell (ms). */
  since?: number;
};

/** Conditions that are there only while they hold. */
const PASSING = ["PodResizePending", "PodResizeInProgress"] as const;

function resizes({ resize }: PodMemory): Verdict[] {
  const states = [resize?.pending, resize?.progress];
  return PASSING.flatMap((type, at) => {
    const state = states[at];
    return state ? [{ type, status: "True" as const, ...state }] : [];
  });
}

/** Conditions in the kubelet's order; a transition time changes only with the status. */
function conditions(
  pod: CoreV1Pod,
  memory: PodMemory,
  { phase, isFinal }: PodVerdict,
  { init, app }: ContainerStatuses,
  now: number,
): CoreV1PodCondition[] {
  const containers = containersReady(pod, phase, [...init, ...app]);
  const disruption = isFinal ? memory.ended?.disruption : undefined;
  const verdicts: Verdict[] = [
    ...(isFinal ? [] : resizes(memory)),
    ...(disruption ? [{ type: "DisruptionTarget", status: "True" as const, ...disruption }] : []),
    { type: "PodReadyToStartContainers", status: memory.sandbox?.running ? "True" : "False" },
    { type: "Initialized", ...initialized(pod, phase, init, app) },
    { ...containers, type: "Ready", ...gates(pod, containers) },
    { ...containers, type: "ContainersReady" },
    { type: "PodScheduled", status: "True" },
  ];
  const found = verdicts.map((verdict): CoreV1PodCondition => {
    const before = [...memory.conditions, ...(pod.status?.conditions ?? [])].find((c) => c.type === verdict.type);
    const kept = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    const since = verdict.since === undefined ? kept : timestamp(verdict.since);
    const observedGeneration = verdict.generation ?? pod.metadata.generation;
    return {
      type: verdict.type,
      status: verdict.status,
      lastTransitionTime: since ?? timestamp(now),
      ...(verdict.reason ? { reason: verdict.reason } : {}),
      ...(verdict.message ? { message: verdict.message } : {}),
      ...(observedGeneration ? { observedGeneration } : {}),
    };
  });
  memory.conditions = found;
  return found;
}

type Judged = Omit<Verdict, "type">;

/** Once an app container began, init is over for good, also while sidecars are started again. */
function initialized(
  { spec }: CoreV1Pod,
  phase: Phase,
  init: readonly CoreV1ContainerStatus[],
  app: readonly CoreV1ContainerStatus[],
): Judged {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  if (app.some(({ state, lastState }) => !state?.waiting || lastState?.terminated)) return { status: "True" };
  const pending = (spec.initContainers ?? []).filter((container, at) =>
    isSidecar(container) ? !init[at]?.started : !init[at]?.ready,
  );
  if (!pending.length) return { status: "True" };
  const message = `containers with incomplete status: [${pending.map(({ name }) => name).join(" ")}]`;
  return { status: "False", reason: "ContainersNotInitialized", message };
}

function containersReady({ spec }: CoreV1Pod, phase: Phase, statuses: readonly CoreV1ContainerStatus[]): Judged {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const needed = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].map(({ name }) => name);
  const unready = needed.filter((name) => !statuses.find((status) => status.name === name)?.ready);
  if (!unready.length) return { status: "True" };
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { status: "False", reason: "ContainersNotReady", message };
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate */
function gates(pod: CoreV1Pod, containers: Judged): Partial<Judged> {
  if (containers.status !== "True") return {};
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length ? { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") } : {};
}

/** What others say of a pod. */
const OTHERS = new Set(["conditions", "resourceClaimStatuses", "extendedResourceClaimStatus"]);

/**
 * What to send so that the served status becomes `next`: null for what is no more. `before` is what was last
 * acknowledged. Conditions are merged by type, so that those of others stay.
 */
export function statusPatch(before: CoreV1PodStatus | undefined, next: CoreV1PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = { ...next };
  for (const key of Object.keys(before ?? {})) if (!(key in next) && !OTHERS.has(key)) patch[key] = null;
  // They are merged by address, and a pod that has another one, or whose node has, would have both.
  for (const list of ["podIPs", "hostIPs"] as const)
    if (next[list]) patch[list] = [...next[list], { $patch: "replace" }];
  const told = new Map(before?.conditions?.map((condition) => [condition.type, Object.keys(condition)]));
  const cleared = (type: string) => Object.fromEntries((told.get(type) ?? []).map((key) => [key, null]));
  const gone = PASSING.filter((type) => told.has(type) && !next.conditions?.some((c) => c.type === type));
  if (next.conditions)
    patch.conditions = [
      ...next.conditions.map((c) => ({ ...cleared(c.type), ...c })),
      ...gone.map((type) => ({ type, $patch: "delete" })),
    ];
  return patch;
}
