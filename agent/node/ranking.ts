/**
 * Whom a node under pressure evicts first, and what it says of it.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#pod-selection-for-kubelet-eviction
 */
import { podRequests } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import {
  formatQuantity,
  parseQuantity,
  type QuantityFormat,
  wholeQuantity,
  wholeValue,
  ZERO,
} from "../../worker/lib/quantity.ts";
import { amountOf, type Observations, resourceOf, type StarvedResource, type Threshold } from "./thresholds.ts";

/** In bytes, inodes and processes. */
export type ContainerUsage = { memoryBytes: number; diskBytes: number; inodes: number };
export type PodUsage = ContainerUsage & {
  pids: number;
  /** By name. */
  containers: ReadonlyMap<string, ContainerUsage>;
};

export type Ranked = { pod: CoreV1Pod; usage: PodUsage | undefined };

const NOTHING: PodUsage = { memoryBytes: 0, diskBytes: 0, inodes: 0, pids: 0, containers: new Map() };

const used: Record<StarvedResource, (usage: PodUsage) => number> = {
  memory: ({ memoryBytes }) => memoryBytes,
  "ephemeral-storage": ({ diskBytes }) => diskBytes,
  inodes: ({ inodes }) => inodes,
  pids: ({ pids }) => pids,
};

/** Those first that use more than they asked for, then those of lower priority, then those that use most above it. */
export function inEvictionOrder(pods: readonly Ranked[], resource: StarvedResource): Ranked[] {
  const rows = pods.map((ranked) => {
    const asked = wholeValue(podRequests(ranked.pod)[resource] ?? ZERO);
    const above = used[resource](ranked.usage ?? NOTHING) - asked;
    // Nobody asks for processes, so all would have too many.
    const exceeds = resource !== "pids" && (!ranked.usage || above > 0);
    return { ranked, above, exceeds, isKnown: ranked.usage !== undefined, priority: ranked.pod.spec.priority ?? 0 };
  });
  rows.sort(
    (a, b) =>
      Number(a.isKnown) - Number(b.isKnown) ||
      Number(b.exceeds) - Number(a.exceeds) ||
      a.priority - b.priority ||
      b.above - a.above,
  );
  return rows.map(({ ranked }) => ranked);
}

const print = (value: number, format: QuantityFormat) =>
  formatQuantity({ ...wholeQuantity(Math.trunc(value)), format });

/** `due` are the thresholds that are met, those of memory first. */
export function evictionMessage(
  { pod, usage }: Ranked,
  resource: StarvedResource,
  due: readonly Threshold[],
  observations: Observations,
): string {
  return [
    `The node was low on resource: ${resource}. `,
    thresholdText(resource, due, observations),
    ...(usage ? [podText(pod, usage, resource), ...containerTexts(pod, usage, resource)] : []),
  ].join("");
}

function thresholdText(resource: StarvedResource, due: readonly Threshold[], observations: Observations): string {
  const threshold = due.find((t) => resourceOf(t) === resource && observations[t.signal]);
  const observed = threshold && observations[threshold.signal];
  if (!threshold || !observed) return "";
  const isCount = resource === "inodes" || resource === "pids";
  const { value } = threshold;
  const quantity =
    "amount" in value ? formatQuantity(value.amount) : print(amountOf(value, observed.capacity), "BinarySI");
  const available = print(observed.available, isCount ? "DecimalSI" : "BinarySI");
  return `Threshold quantity: ${quantity}, available: ${available}. `;
}

const larger = (who: string, usage: number, request: string, resource: StarvedResource) =>
  `${who} was using ${print(usage, "BinarySI")}, request is ${request}, has larger consumption of ${resource}. `;

const asText = (request: string | undefined) => formatQuantity(parseQuantity(request ?? "0"));

function podText({ spec, metadata }: CoreV1Pod, usage: PodUsage, resource: StarvedResource): string {
  const request = spec.resources?.requests?.[resource];
  if (resource !== "memory" || request === undefined) return "";
  return larger(`Pod ${metadata.name}`, usage.memoryBytes, asText(request), resource);
}

function containerTexts({ spec }: CoreV1Pod, usage: PodUsage, resource: StarvedResource): string[] {
  if (resource !== "memory" && resource !== "ephemeral-storage") return [];
  return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ name, resources }) => {
    const own = usage.containers.get(name);
    if (!own) return [];
    const request = resources?.requests?.[resource];
    const amount = resource === "memory" ? own.memoryBytes : own.diskBytes;
    const exceeds = amount > wholeValue(parseQuantity(request ?? "0"));
    return exceeds ? [larger(`Container ${name}`, amount, asText(request), resource)] : [];
  });
}
