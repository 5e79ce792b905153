import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { disrupted } from "../pods.ts";
import { removal } from "../removal.ts";
import { readyStatus } from "./readiness.ts";

/** Finished pods kept, cluster-wide; the oldest go. */
const TERMINATED_KEPT = 12_500;
/** How many pods finish between two counts of them all. */
const COUNT_EVERY = 500;
/** A pod may be made for a node that is just about to join. */
const GRACE_MS = 40_000;
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
const TERMINATED = "terminated";

/**
 * Removes pods that nothing will ever finish: of nodes that are gone or declared out of service, deleted before they
 * were placed, and finished ones beyond a number.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export function podGarbageCollector(kept = TERMINATED_KEPT): Controller {
  let finished = COUNT_EVERY;
  return {
    name: "pod-garbage-collector-controller",
    watches: [
      watch(Node, function* (node, _old, view, type) {
        if (type !== "DELETED" && !isOutOfService(node)) return;
        for (const pod of view.onNode(Pod, node.metadata.name ?? "")) yield keyOf(pod);
      }),
      watch(Pod, function* (pod, old, _view, type) {
        if (type === "DELETED") return;
        if (pod.spec.nodeName !== old?.spec.nodeName || (pod.metadata.deletionTimestamp && !pod.spec.nodeName))
          yield keyOf(pod);
        if (!isPodTerminal(pod) || (old && isPodTerminal(old)) || ++finished < COUNT_EVERY) return;
        finished = 0;
        yield TERMINATED;
      }),
    ],
    reconcile(view, key, { now }) {
      if (key === TERMINATED) return beyond(view, kept).map(forced);
      const pod = view.get(Pod, ...splitKey(key));
      if (!pod) return [];
      const { deletionTimestamp, creationTimestamp } = pod.metadata;
      if (!pod.spec.nodeName) return deletionTimestamp ? [forced(pod)] : [];
      const node = view.get(Node, "", pod.spec.nodeName);
      if (node) return isOutOfService(node) && deletionTimestamp ? [forced(pod)] : [];
      const wait = Date.parse(creationTimestamp ?? "") + GRACE_MS - now;
      return wait > 0 ? [{ do: "again", afterMs: wait }] : orphaned(pod, now);
    },
  };
}

/** Someone vouches that the node is off. https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown */
const isOutOfService = (node: Readonly<Node>): boolean =>
  readyStatus(node) !== "True" && (node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE) ?? false);

function beyond(view: View, kept: number): Readonly<Pod>[] {
  const terminated = view.list(Pod).filter(isPodTerminal);
  const age = (pod: Readonly<Pod>) => Date.parse(pod.metadata.creationTimestamp ?? "") || 0;
  return terminated.toSorted((a, b) => age(a) - age(b)).slice(0, Math.max(0, terminated.length - kept));
}

const forced = (pod: Readonly<Pod>): Intent => removal(Pod, pod, { gracePeriodSeconds: 0 });

function orphaned(pod: Readonly<Pod>, now: number): Intent[] {
  if (isPodTerminal(pod)) return [forced(pod)];
  const status = { ...disrupted(pod, "DeletionByPodGC", "PodGC: node no longer exists", now), phase: "Failed" };
  return [{ do: "updateStatus", kind: Pod, object: { ...pod, status } as Pod }, forced(pod)];
}
