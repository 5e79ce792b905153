/**
 * What of the node a pod's containers were given. A change of their requests and limits is a wish: the node grants it
 * when it has room. https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
import { podRequests } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Container, CoreV1Pod, CoreV1ResourceRequirements } from "../../worker/kinds/generated/types.ts";
import { milliValue, parseQuantity, wholeValue, ZERO } from "../../worker/lib/quantity.ts";
import { type AdmittingNode, rejection } from "./admission.ts";
import type { PodMemory } from "./memory.ts";
import { isSidecar } from "./phase.ts";
import { resizeOf } from "./resources.ts";

/** By container: those that may be resized. */
export type Allocation = Record<string, CoreV1ResourceRequirements>;

/** Why a resize is not done, or not done yet. Times in ms since the epoch. */
export type ResizeState = { reason?: string; message?: string; generation: number; since: number };

export type Resize = {
  /** A wish that is not granted. */
  pending?: ResizeState;
  /** One that was, until the containers have it. */
  progress?: ResizeState;
  /** What the runtime refused is not tried again before. */
  retryAt?: number;
};

const resizable = ({ spec }: CoreV1Pod): CoreV1Container[] => [
  ...(spec.initContainers ?? []).filter(isSidecar),
  ...spec.containers,
];

export const allocationOf = (pod: CoreV1Pod): Allocation =>
  Object.fromEntries(resizable(pod).map(({ name, resources = {} }) => [name, resources]));

/** The pod with what it was given instead of what it asks for; itself when that is the same. */
export function allocatedPod(pod: CoreV1Pod, allocation: Allocation): CoreV1Pod {
  if (!wishes(pod, allocation)) return pod;
  const given = (container: CoreV1Container) =>
    allocation[container.name] ? { ...container, resources: allocation[container.name] } : container;
  const { initContainers, containers } = pod.spec;
  const spec = { ...pod.spec, containers: containers.map(given) };
  return { ...pod, spec: initContainers ? { ...spec, initContainers: initContainers.map(given) } : spec };
}

const wishes = (pod: CoreV1Pod, allocation: Allocation): boolean =>
  resizable(pod).some((container) => {
    const given = allocation[container.name];
    return given && resizeOf(container, given) !== undefined;
  });

/** `others` are the node's pods that are not over; asked only when there is a wish to grant. */
export type Asked = { others(): readonly CoreV1Pod[]; node(): AdmittingNode; now: number };

/** Something that users hear of. */
export type ResizeEvent = { type: "Normal" | "Warning"; reason: string; message: string };

/** Grants a pod what it asks for, or remembers why not. Returns the pod as it is to be run. */
export function allocate(
  pod: CoreV1Pod,
  memory: PodMemory,
  { others, node, now }: Asked,
): { pod: CoreV1Pod; event?: ResizeEvent } {
  memory.allocated ??= allocationOf(pod);
  const resize: Resize = memory.resize ?? {};
  const generation = pod.metadata.generation ?? 0;
  if (!wishes(pod, memory.allocated)) {
    if (resize.pending) memory.resize = { ...resize, pending: undefined };
    return { pod };
  }
  const refusal = refusalOf(pod, others(), node());
  if (refusal) {
    const { pending } = resize;
    const isNew = pending?.reason !== refusal.reason || pending.generation !== generation;
    const since = pending?.reason === refusal.reason ? pending.since : now;
    memory.resize = { ...resize, pending: { ...refusal, generation, since } };
    const allocated = { pod: allocatedPod(pod, memory.allocated) };
    if (!isNew) return allocated;
    const message = resizeMessage(pod, `Pod resize ${refusal.reason}`, generation, refusal.message);
    return { ...allocated, event: { type: "Warning", reason: `Resize${refusal.reason}`, message } };
  }
  memory.allocated = allocationOf(pod);
  memory.resize = { progress: { generation, since: now } };
  return {
    pod,
    event: { type: "Normal", reason: "ResizeStarted", message: resizeMessage(pod, "Pod resize started", generation) },
  };
}

const SOURCE = "kubernetes.io/config.source";

function refusalOf(
  pod: CoreV1Pod,
  others: readonly CoreV1Pod[],
  node: AdmittingNode,
): { reason: "Deferred" | "Infeasible"; message: string } | undefined {
  if (pod.metadata.annotations?.[SOURCE] === "file")
    return { reason: "Infeasible", message: "In-place resize of static-pods is not supported" };
  const requests = podRequests(pod);
  for (const [name, measure] of [
    ["memory", wholeValue],
    ["cpu", milliValue],
  ] as const) {
    const requested = measure(requests[name] ?? ZERO);
    const capacity = measure(parseQuantity(node.allocatable[name] ?? "0"));
    if (requested <= capacity) continue;
    const amounts = `${name}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: "Infeasible", message: `Node didn't have enough capacity: ${amounts}` };
  }
  const verdict = rejection(pod, others, node);
  return verdict && { reason: "Deferred", message: verdict.message };
}

/** A resize as events tell it: what was asked for, as JSON. */
export function resizeMessage({ spec }: CoreV1Pod, title: string, generation: number, error?: string): string {
  const list = (containers: readonly CoreV1Container[] = []) =>
    containers.map(({ name, resources: { limits, requests } = {} }) => ({
      name,
      resources: { ...(limits && { limits: sorted(limits) }), ...(requests && { requests: sorted(requests) }) },
    }));
  const init = list(spec.initContainers);
  const summary = {
    ...(init.length ? { initContainers: init } : {}),
    containers: list(spec.containers),
    generation,
    ...(error ? { error } : {}),
  };
  return `${title}: ${JSON.stringify(summary)}`;
}

const sorted = (amounts: Record<string, string>) =>
  Object.fromEntries(Object.entries(amounts).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** The containers that do not have what they were given yet: they run, or are to run anew with it at once. */
export function toResize(pod: CoreV1Pod, { containers }: PodMemory): CoreV1Container[] {
  return resizable(pod).filter((container) => {
    const current = containers[container.name]?.current;
    const isThere = current && (!current.exit || current.replaced);
    return isThere && current.resources && resizeOf(container, current.resources) !== undefined;
  });
}
