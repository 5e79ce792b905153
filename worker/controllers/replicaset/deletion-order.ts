import type { Pod } from "../../kinds/core/pod.ts";
import { isPodReady } from "../../kinds/core/pod-conditions.ts";
import { readySince } from "../pods.ts";

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/** Negative when `a` goes first; 0 when the rule cannot tell. */
type Rule = (a: Ranked, b: Ranked, now: number) => number;
/** `crowd`: how many pods of the same workload are on its node. */
type Ranked = { pod: Readonly<Pod>; crowd: number };

const PHASES = ["Pending", "Unknown", "Running"];

const rules: readonly Rule[] = [
  (a, b) => Number(Boolean(a.pod.spec.nodeName)) - Number(Boolean(b.pod.spec.nodeName)),
  (a, b) => phase(a) - phase(b),
  (a, b) => Number(isPodReady(a.pod)) - Number(isPodReady(b.pod)),
  (a, b) => cost(a) - cost(b),
  (a, b) => b.crowd - a.crowd,
  (a, b, now) => magnitude(readySince(a.pod), now) - magnitude(readySince(b.pod), now),
  (a, b) => restarts(b) - restarts(a),
  (a, b, now) => magnitude(created(a), now) - magnitude(created(b), now),
  (a, b) => ((a.pod.metadata.uid ?? "") < (b.pod.metadata.uid ?? "") ? -1 : 1),
];

const phase = ({ pod }: Ranked): number => Math.max(0, PHASES.indexOf(pod.status?.phase ?? ""));
const created = ({ pod }: Ranked): number => Date.parse(pod.metadata.creationTimestamp ?? "") || 0;
const restarts = ({ pod }: Ranked): number =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));

function cost({ pod }: Ranked): number {
  const value = Number(pod.metadata.annotations?.[DELETION_COST] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

/**
 * Ages compare by their order of magnitude only, so that of pods that are all old any may go, not always the newest.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-apps/2185-random-pod-select-on-replicaset-downscale
 */
function magnitude(since: number | undefined, now: number): number {
  const age = now - (since ?? now);
  return age <= 0 ? -1 : Math.floor(Math.log2(age * 1e6));
}

/**
 * Pods in the order in which a ReplicaSet gives them up; `related` are all active pods of the same workload.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 */
export function inDeletionOrder(pods: readonly Readonly<Pod>[], related: readonly Readonly<Pod>[], now: number) {
  const perNode = new Map<string, number>();
  for (const { spec } of related) if (spec.nodeName) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  const ranked = pods.map((pod): Ranked => ({ pod, crowd: perNode.get(pod.spec.nodeName ?? "") ?? 0 }));
  ranked.sort((a, b) => {
    for (const rule of rules) {
      const order = rule(a, b, now);
      if (order !== 0) return order;
    }
    return 0;
  });
  return ranked.map(({ pod }) => pod);
}
