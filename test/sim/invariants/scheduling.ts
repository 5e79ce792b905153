/** https://kubernetes.io/docs/concepts/scheduling-eviction/ : a pod is bound only where it fits. */
import { podClaims } from "../../../worker/kinds/core/pod-claims.ts";
import { podRequests } from "../../../worker/kinds/core/pod-resources.ts";
import type {
  CoreV1Node,
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
} from "../../../worker/kinds/generated/types.ts";
import { MOVE_TO } from "../../../worker/lib/local-volumes.ts";
import { matchesNodeTerm } from "../../../worker/lib/node-selectors.ts";
import {
  addResources,
  compareQuantities,
  formatQuantity,
  parseResources,
  type Resources,
  ZERO,
} from "../../../worker/lib/quantity.ts";
import { untolerated } from "../../../worker/lib/taints.ts";
import { describe, type History } from "./history.ts";
import { isPodTerminal, type Pod } from "./pods.ts";
import type { Rule } from "./rule.ts";

type Node = Readonly<CoreV1Node>;

/** No node is promised more than it has. */
export const neverOvercommitted: Rule = {
  rule: "nodes-are-never-overcommitted",
  start: ({ history, requests, fail }) => ({
    step(step) {
      if (step.resource !== "pods" || step.type !== "MODIFIED") return;
      // Who binds by hand answers for it.
      if (requests.writesTo(step).some(({ subresource }) => subresource === "binding")) return;
      const pod = step.object as Pod;
      const { nodeName } = pod.spec;
      if (!nodeName || (step.old as Pod).spec.nodeName) return;
      const node = history.get<CoreV1Node>("nodes", "", nodeName);
      if (!node) return fail(`${describe(step)} was bound to ${nodeName}, which is not there`);
      const problem = misfit(history, pod, node.object);
      if (problem) fail(`${describe(step)} was bound to ${nodeName} at ${step.revision}: ${problem}`);
    },
  }),
};

/** Why a pod does not fit on a node beside all others that are there; undefined when it does. */
export function misfit(history: History, pod: Pod, node: Node): string | undefined {
  const { uid } = pod.metadata;
  const name = node.metadata?.name ?? "";
  const others = history
    .objects<Pod>("pods")
    .filter((other) => other.spec.nodeName === name && other.metadata.uid !== uid && !isPodTerminal(other));
  return (
    outOfPlace(pod, node) ?? lackOf(pod, others, node) ?? portsTaken(pod, others) ?? volumeElsewhere(history, pod, node)
  );
}

/** A claim that has no volume yet gets one wherever its pod goes, unless its class says that nobody makes it one. */
function volumeElsewhere(history: History, pod: Pod, node: Node): string | undefined {
  const name = node.metadata?.name ?? "";
  for (const { claim } of podClaims(pod)) {
    const found = history.get<CoreV1PersistentVolumeClaim>(
      "persistentvolumeclaims",
      pod.metadata.namespace ?? "",
      claim,
    );
    if (!found || found.object.metadata?.deletionTimestamp) return `its claim ${claim} is not there`;
    const { storageClassName, volumeName = "" } = found.object.spec ?? {};
    if (storageClassName === "" && !volumeName) return `its claim ${claim} has no volume`;
    const volume = history.get<CoreV1PersistentVolume>("persistentvolumes", "", volumeName);
    const next = volume?.object.metadata?.annotations?.[MOVE_TO];
    if (next === name) continue;
    if (next) return `its volume ${volume?.name} is to be on ${next}`;
    const terms = volume?.object.spec?.nodeAffinity?.required?.nodeSelectorTerms;
    const labels = node.metadata?.labels ?? {};
    if (terms && !terms.some((term) => matchesNodeTerm(term, { name, labels })))
      return `its volume ${volume?.name} is elsewhere`;
  }
  return undefined;
}

function outOfPlace(pod: Pod, node: Node): string | undefined {
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
    if (node.metadata?.labels?.[key] !== value) return `it wants ${key}=${value}`;
  const taint = untolerated(node.spec?.taints, pod.spec.tolerations, ["NoSchedule", "NoExecute"]);
  if (taint) return `it does not tolerate ${taint.key}`;
  const cordon = [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }];
  return node.spec?.unschedulable && untolerated(cordon, pod.spec.tolerations, ["NoSchedule"])
    ? "it is cordoned"
    : undefined;
}

function lackOf(pod: Pod, others: readonly Pod[], node: Node): string | undefined {
  const allocatable = parseResources(node.status?.allocatable ?? node.status?.capacity);
  const asked = podRequests(pod);
  const used = others.reduce<Resources>((sum, other) => addResources(sum, podRequests(other)), asked);
  for (const [name, amount] of Object.entries(asked)) {
    if (compareQuantities(amount, ZERO) <= 0) continue;
    const total = used[name] ?? ZERO;
    if (compareQuantities(total, allocatable[name] ?? ZERO) > 0)
      return `${formatQuantity(total)} of ${formatQuantity(allocatable[name] ?? ZERO)} ${name}`;
  }
  const most = allocatable.pods ?? ZERO;
  const count = parseResources({ pods: String(others.length + 1) }).pods ?? ZERO;
  return compareQuantities(count, most) > 0 ? `${formatQuantity(count)} of ${formatQuantity(most)} pods` : undefined;
}

const portsOf = ({ spec }: Pod): string[] =>
  spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = "TCP", hostIP = "" }) =>
      hostPort && !hostIP ? [`${protocol} ${hostPort}`] : [],
    ),
  );

function portsTaken(pod: Pod, others: readonly Pod[]): string | undefined {
  const wanted = portsOf(pod);
  if (wanted.length === 0) return undefined;
  const taken = new Set(others.flatMap(portsOf));
  const clash = wanted.find((port) => taken.has(port));
  return clash && `port ${clash} is taken`;
}
