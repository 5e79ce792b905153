import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import type { CoreV1Taint } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { type Toleration, tolerates } from "../../lib/taints.ts";
import type { Controller, Intent } from "../controller.ts";
import { normal } from "../events.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { disrupted } from "../pods.ts";
import { removal } from "../removal.ts";

const executing = (node: Readonly<Node> | undefined): CoreV1Taint[] =>
  (node?.spec?.taints ?? []).filter((taint) => taint.effect === "NoExecute");

/**
 * Deletes pods from nodes with NoExecute taints, at once or after the tolerationSeconds of those that tolerate them for
 * a while.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
export const taintEvictionController: Controller = {
  name: "taint-eviction-controller",
  watches: [
    watch(Node, function* (node, old, view, type) {
      if (type === "DELETED" || same(executing(node), executing(old))) return;
      for (const pod of view.onNode(Pod, node.metadata.name ?? "")) yield keyOf(pod);
    }),
    watch(Pod, function* (pod, old, _view, type) {
      if (type === "DELETED" || !pod.spec.nodeName) return;
      if (!same(pod.spec.nodeName, old?.spec.nodeName) || !same(pod.spec.tolerations, old?.spec.tolerations))
        yield keyOf(pod);
    }),
  ],
  reconcile(view, key, { now }) {
    const pod = view.get(Pod, ...splitKey(key));
    if (!pod?.spec.nodeName || pod.metadata.deletionTimestamp || isPodTerminal(pod)) return [];
    const deadline = evictionTime(executing(view.get(Node, "", pod.spec.nodeName)), pod.spec.tolerations ?? []);
    if (deadline === Number.POSITIVE_INFINITY) return [];
    return deadline > now ? [{ do: "again", afterMs: deadline - now }] : evict(pod, now);
  },
};

/** When the first of the taints is tolerated no longer, ms since the epoch; infinity when all are for ever. */
function evictionTime(taints: readonly CoreV1Taint[], tolerations: readonly Toleration[]): number {
  return taints.reduce((soonest, taint) => {
    const toleration = tolerations.find((candidate) => tolerates(candidate, taint));
    if (!toleration) return Number.NEGATIVE_INFINITY;
    if (toleration.tolerationSeconds === undefined) return soonest;
    const since = Date.parse(taint.timeAdded ?? "") || 0;
    return Math.min(soonest, since + Math.max(0, toleration.tolerationSeconds) * 1000);
  }, Number.POSITIVE_INFINITY);
}

function evict(pod: Readonly<Pod>, now: number): Intent[] {
  const status = disrupted(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now);
  return [
    normal(pod, "TaintManagerEviction", `Marking for deletion Pod ${keyOf(pod)}`),
    { do: "updateStatus", kind: Pod, object: { ...pod, status } as Pod },
    removal(Pod, pod),
  ];
}
