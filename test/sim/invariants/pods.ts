/** What pods are in all rules about workloads. */
import { isPodActive, isPodAvailable, isPodReady, isPodTerminal } from "../../../worker/kinds/core/pod-conditions.ts";
import type { CoreV1Pod as Pod } from "../../../worker/kinds/generated/types.ts";
import { controllerOf, describe, type Entry, type History, type Step } from "./history.ts";
import type { Requests } from "./requests.ts";
import type { Rule } from "./rule.ts";
import { isNamespaceLeaving } from "./writes.ts";

export { isPodActive, isPodAvailable, isPodReady, isPodTerminal, type Pod };

export const podsOf = (history: History, ownerUid: string): Entry<Pod>[] => history.controlled<Pod>("pods", ownerUid);
export const activePodsOf = (history: History, ownerUid: string): Entry<Pod>[] =>
  podsOf(history, ownerUid).filter(({ object }) => isPodActive(object));

/** A pod's deletion begins with this step. */
export const isPodMarked = ({ resource, old, object, type }: Step): boolean =>
  resource === "pods" &&
  old !== undefined &&
  !old.metadata?.deletionTimestamp &&
  (type === "DELETED" || object.metadata?.deletionTimestamp !== undefined);

/**
 * Whether someone else than the pod's own controller may have deleted it: a client, the taint manager or the scheduler
 * (which say so in a condition first), the pod or namespace collectors, or the garbage collector.
 */
export function isDeletedByOthers(history: History, requests: Requests, step: Step<Pod>): boolean {
  const pod = step.old as Pod;
  const owner = controllerOf(pod);
  const ownerEntry = owner && history.byUid(owner.uid);
  return (
    requests.deletionsOf(step).length > 0 ||
    (pod.status?.conditions ?? []).some(({ type, status }) => type === "DisruptionTarget" && status === "True") ||
    isPodTerminal(pod) ||
    !ownerEntry ||
    ownerEntry.object.metadata?.deletionTimestamp !== undefined ||
    isNamespaceLeaving(history, step.namespace)
  );
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename */
export const boundOnce: Rule = {
  rule: "pods-are-bound-once",
  start: ({ fail }) => ({
    step(step) {
      if (step.resource !== "pods" || step.type === "DELETED") return;
      const before = (step.old as Pod | undefined)?.spec.nodeName;
      const after = (step.object as Pod).spec.nodeName;
      if (before && before !== after) fail(`${describe(step)} was on ${before} and is on ${after} at ${step.revision}`);
    },
  }),
};

/**
 * A pod's name is free again only when the node has ended its containers; but for those that someone takes away by
 * force, and for nodes that are gone or vouched to be off.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-forced
 */
export const removedAfterEnd: Rule = {
  rule: "pods-end-before-they-go",
  start: ({ history, truth, requests, fail }) => ({
    step(step) {
      if (step.resource !== "pods" || step.type !== "DELETED") return;
      if (isForced(history, requests, step as Step<Pod>)) return;
      for (const { podUid, name, node, state } of truth.containers().values())
        if (podUid === step.uid && state === "running" && name !== "POD")
          fail(`${describe(step)} was removed while its container ${name} runs on ${node}`);
    },
  }),
};

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
type NodeShape = { spec?: { taints?: { key: string }[] } };

export function isForced(history: History, requests: Requests, { namespace, name, object }: Step<Pod>): boolean {
  const asked = requests.deletionsOf({ resource: "pods", namespace, name });
  // A pod that asks for no time at all is never waited for.
  if (object.spec.terminationGracePeriodSeconds === 0) return true;
  if (asked.some(({ query, body }) => graceOf(query, body) === 0)) return true;
  const node = history.get("nodes", "", object.spec.nodeName ?? "");
  return !node || ((node.object as NodeShape).spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false);
}

type DeleteBody = { gracePeriodSeconds?: number; deleteOptions?: { gracePeriodSeconds?: number } };

function graceOf(query: URLSearchParams, body: unknown): number | undefined {
  const inQuery = query.get("gracePeriodSeconds");
  const options = body as DeleteBody | undefined;
  return inQuery === null
    ? (options?.gracePeriodSeconds ?? options?.deleteOptions?.gracePeriodSeconds)
    : Number(inQuery);
}
