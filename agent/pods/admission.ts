/**
 * Whether a node takes a new pod at all. The scheduler asks the same before it binds one, but a pod may name its node
 * itself. Reasons and messages are the kubelet's.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
 */
import { podRequests } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Node, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { selectsNode } from "../../worker/lib/node-selectors.ts";
import { milliValue, parseQuantity, wholeValue, ZERO } from "../../worker/lib/quantity.ts";
import { tolerates, untolerated } from "../../worker/lib/taints.ts";
import { isCritical, qosOf } from "./resources.ts";

export type Rejection = {
  reason: string;
  message: string;
  /** Nothing but this was in the way of a pod that others may have to make room for. */
  lacks?: readonly Lack[];
};

/** So much of a resource would have to be free in addition: thousandths of cores, bytes, places. */
export type Lack = { name: string; amount: number };

/** The node, as far as it matters to who asks to be taken. */
export type AdmittingNode = {
  allocatable: Readonly<Record<string, string>>;
  /** Its conditions that hold: `MemoryPressure` and the like. */
  pressures: readonly string[];
  /** As the cluster has it, once that is known. */
  object: CoreV1Node | undefined;
};

/** `others` are the node's pods that are not over. */
export function rejection(pod: CoreV1Pod, others: readonly CoreV1Pod[], node: AdmittingNode): Rejection | undefined {
  return pressed(pod, node) ?? otherSystem(pod) ?? unfit(pod, others, node);
}

function unfit(pod: CoreV1Pod, others: readonly CoreV1Pod[], node: AdmittingNode): Rejection | undefined {
  const [short, ...more] = shortages(pod, others, node.allocatable);
  const obstacle = unwanted(pod, node) ?? takenPort(pod, others) ?? tainted(pod, node);
  if (!short) return obstacle;
  if (!isCritical(pod)) return refusalFor(short);
  return obstacle ?? { ...refusalFor(short), lacks: [short, ...more].map(lackOf) };
}

const MEMORY_PRESSURE = { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" };

/** A node that is short of memory alone takes pods that say how much they need. */
function pressed(pod: CoreV1Pod, { pressures }: AdmittingNode): Rejection | undefined {
  if (!pressures.length || isCritical(pod)) return undefined;
  const onlyMemory = pressures.every((pressure) => pressure === "MemoryPressure");
  const tolerant = pod.spec.tolerations?.some((toleration) => tolerates(toleration, MEMORY_PRESSURE));
  if (onlyMemory && (qosOf(pod) !== "BestEffort" || tolerant)) return undefined;
  return { reason: "Evicted", message: `The node had condition: [${pressures.join(" ")}]. ` };
}

const OS_LABEL = "kubernetes.io/os";
const OS = "linux";

function otherSystem({ metadata, spec }: CoreV1Pod): Rejection | undefined {
  const labelled = metadata.labels?.[OS_LABEL];
  if (labelled !== undefined && labelled !== OS)
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: `Failed to admit pod as the \`${OS_LABEL}\` label doesn't match node label`,
    };
  if (spec.os && spec.os.name !== OS)
    return { reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS" };
  return undefined;
}

/** Those that every node has. The others come after them, by name. */
const COMMON = ["cpu", "memory", "ephemeral-storage"];

type Shortage = { name: string; wanted: number; used: number; capacity: number };

const refusalFor = ({ name, wanted, used, capacity }: Shortage): Rejection => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${wanted}, used: ${used}, capacity: ${capacity}`,
});

const lackOf = ({ name, wanted, used, capacity }: Shortage): Lack => ({ name, amount: wanted - (capacity - used) });

function shortages(
  pod: CoreV1Pod,
  others: readonly CoreV1Pod[],
  allocatable: AdmittingNode["allocatable"],
): Shortage[] {
  const found: Shortage[] = [];
  const places = Number(allocatable.pods ?? Number.POSITIVE_INFINITY);
  if (others.length + 1 > places) found.push({ name: "pods", wanted: 1, used: others.length, capacity: places });
  const requests = podRequests(pod);
  const scalars = Object.keys(requests).filter((name) => !COMMON.includes(name));
  for (const name of [...COMMON, ...scalars.toSorted()]) {
    const measure = name === "cpu" ? milliValue : wholeValue;
    const wanted = measure(requests[name] ?? ZERO);
    // What no node has is the cluster's own affair.
    if (wanted === 0 || (allocatable[name] === undefined && name.includes("/"))) continue;
    const used = others.reduce((sum, other) => sum + measure(podRequests(other)[name] ?? ZERO), 0);
    const capacity = measure(parseQuantity(allocatable[name] ?? "0"));
    if (used + wanted > capacity) found.push({ name, wanted, used, capacity });
  }
  return found;
}

const predicate = (name: string, why: string): Rejection => ({
  reason: name,
  message: `Predicate ${name} failed: ${why}`,
});

function unwanted({ spec }: CoreV1Pod, { object }: AdmittingNode): Rejection | undefined {
  if (!object) return undefined;
  const { name = "", labels = {} } = object.metadata;
  if (selectsNode(spec, { name, labels })) return undefined;
  return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
}

function takenPort(pod: CoreV1Pod, others: readonly CoreV1Pod[]): Rejection | undefined {
  const taken = others.flatMap(hostPorts);
  return hostPorts(pod).some((port) => taken.some((other) => collide(port, other)))
    ? predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    : undefined;
}

function tainted({ spec }: CoreV1Pod, { object }: AdmittingNode): Rejection | undefined {
  return untolerated(object?.spec?.taints, spec.tolerations, ["NoExecute"])
    ? predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    : undefined;
}

type HostPort = { ip: string; protocol: string; port: number };

function hostPorts({ spec }: CoreV1Pod): HostPort[] {
  const ports = [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ hostPort, hostIP, protocol = "TCP" }) =>
    hostPort ? [{ ip: hostIP || "0.0.0.0", protocol, port: hostPort }] : [],
  );
}

const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");
