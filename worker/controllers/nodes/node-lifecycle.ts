import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodReady } from "../../kinds/core/pod-conditions.ts";
import type { CoreV1Taint } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { timestamp } from "../../lib/effects.ts";
import { conditionOf, withCondition } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { keyOf, watch } from "../keys.ts";
import { readyStatus } from "./readiness.ts";
import { isSitePolicies, siteWait } from "./site-policy.ts";
import { disruptionOf, evictionWait, lostNodes, NOT_READY, UNREACHABLE } from "./zones.ts";

const PREFIX = "node.kubernetes.io";
const UNSCHEDULABLE = `${PREFIX}/unschedulable`;

/** Conditions that keep new pods off while they are True. */
const PRESSURES: readonly (readonly [condition: string, taint: string])[] = [
  ["MemoryPressure", `${PREFIX}/memory-pressure`],
  ["DiskPressure", `${PREFIX}/disk-pressure`],
  ["PIDPressure", `${PREFIX}/pid-pressure`],
  ["NetworkUnavailable", `${PREFIX}/network-unavailable`],
];

/** Taints that are this controller's to set and take away; all others on a node are left as they are. */
const OWN = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...PRESSURES.map(([, taint]) => taint)]);

/** How bad things were when the lost were last looked at. */
const extents = new WeakMap<View, string>();

/**
 * Turns what is known of a node into taints, and the pods of a lost node unready, so that no Service leads to them.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
export const nodeLifecycleController: Controller = {
  name: "node-lifecycle-controller",
  watches: [
    watch(Node, function* (node, old, view, type) {
      if (type !== "DELETED") yield keyOf(node);
      // Whether the lost may be given up depends on how many there are.
      if (type === "MODIFIED" && old && readyStatus(node) === readyStatus(old) && sameLabels(node, old)) return;
      const extent = disruptionOf(view);
      if (extents.get(view) === extent) return;
      extents.set(view, extent);
      yield* lostNodes(view);
    }),
    watch(ConfigMap, function* (map, _old, view) {
      if (isSitePolicies(map)) yield* lostNodes(view);
    }),
  ],
  reconcile(view, key, { now }) {
    const node = view.get(Node, "", key.slice(1));
    if (!node) return [];
    const intents: Intent[] = [];
    const status = readyStatus(node);
    let waitMs = Number.POSITIVE_INFINITY;
    // A node that has never said anything has nothing to evict.
    if (status !== undefined && status !== "True") {
      const site = siteWait(view, node, now);
      if (site.problem) intents.push(warning(node, "InvalidSitePolicy", site.problem));
      waitMs = Math.max(evictionWait(view, node, now), site.waitMs);
    }
    const taints = taintsOf(node, waitMs === 0, now);
    if (!same(taints, node.spec?.taints ?? [])) {
      const spec = { ...node.spec, ...(taints.length > 0 ? { taints } : { taints: undefined }) };
      intents.push({ do: "update", kind: Node, object: { ...node, spec } as Node });
      const lost = (list: readonly CoreV1Taint[] | undefined) =>
        list?.some(({ key: taint }) => taint === NOT_READY || taint === UNREACHABLE) ?? false;
      if (lost(taints) && !lost(node.spec?.taints))
        intents.push(normal(node, "NodeNotReady", `Node ${node.metadata.name} status is now: NodeNotReady`));
    }
    if (status !== undefined && status !== "True") intents.push(...podsUnready(view, node, now));
    if (waitMs > 0 && waitMs < Number.POSITIVE_INFINITY) intents.push({ do: "again", afterMs: waitMs });
    return intents;
  },
};

const sameLabels = (node: Readonly<Node>, old: Readonly<Node>) => same(node.metadata.labels, old.metadata.labels);

function taintsOf(node: Readonly<Node>, evicts: boolean, now: number): CoreV1Taint[] {
  const known = node.spec?.taints ?? [];
  const wanted: CoreV1Taint[] = known.filter((taint) => !OWN.has(taint.key));
  const add = (key: string, effect: string) => {
    const there = known.find((taint) => taint.key === key && taint.effect === effect);
    wanted.push(there ?? { key, effect, timeAdded: timestamp(now) });
  };
  if (node.spec?.unschedulable) add(UNSCHEDULABLE, "NoSchedule");
  for (const [type, taint] of PRESSURES)
    if (conditionOf(node.status?.conditions, type)?.status === "True") add(taint, "NoSchedule");
  const ready = readyStatus(node);
  if (ready === "True") return inOldOrder(wanted, known);
  const lost = ready === "Unknown" ? UNREACHABLE : NOT_READY;
  add(lost, "NoSchedule");
  if (evicts) add(lost, "NoExecute");
  return inOldOrder(wanted, known);
}

/** Taints that stay keep their place, so that an unchanged set is an unchanged list. */
function inOldOrder(wanted: readonly CoreV1Taint[], known: readonly CoreV1Taint[]): CoreV1Taint[] {
  const stay = known.filter((taint) => wanted.includes(taint));
  return [...stay, ...wanted.filter((taint) => !stay.includes(taint))];
}

function podsUnready(view: View, node: Readonly<Node>, now: number): Intent[] {
  return view
    .onNode(Pod, node.metadata.name ?? "")
    .filter(isPodReady)
    .flatMap((pod) => {
      const ready = conditionOf(pod.status?.conditions, "Ready");
      const conditions = withCondition(pod.status?.conditions, { ...ready, type: "Ready", status: "False" }, now);
      return [
        { do: "updateStatus", kind: Pod, object: { ...pod, status: { ...pod.status, conditions } } as Pod },
        warning(pod, "NodeNotReady", "Node is not ready"),
      ] satisfies Intent[];
    });
}
