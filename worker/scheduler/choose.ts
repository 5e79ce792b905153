import { fnv32 } from "../lib/fnv.ts";
import { filters } from "./filters/index.ts";
import type { Cluster, Refusal } from "./framework.ts";
import type { PodInfo } from "./pod.ts";
import { scores } from "./scores/index.ts";
import type { NodeInfo } from "./snapshot.ts";

export type Feasibility = { feasible: NodeInfo[]; refused: Map<NodeInfo, Refusal> };

/** Of a cluster of fewer nodes all are looked at. */
const FEW_NODES = 100;

/**
 * On a large cluster the best of many nodes will do: how many to find.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/scheduler-perf-tuning/#how-kubernetes-defines-percentage
 */
export function nodesToFind(nodes: number): number {
  const percentage = Math.max(5, 50 - nodes / 125);
  return Math.max(FEW_NODES, Math.floor((nodes * percentage) / 100));
}

/** Nodes that the pod fits on, at most `enough`, and why the others that were looked at do not do. */
export function feasibility(
  pod: PodInfo,
  cluster: Cluster,
  nodes: Iterable<NodeInfo>,
  enough = Number.POSITIVE_INFINITY,
): Feasibility {
  const tests = filters.map((filter) => filter.judge(pod, cluster)).filter((test) => test !== undefined);
  const feasible: NodeInfo[] = [];
  const refused = new Map<NodeInfo, Refusal>();
  for (const node of nodes) {
    const refusal = firstRefusal(tests, node);
    if (refusal) refused.set(node, refusal);
    else if (feasible.push(node) >= enough) break;
  }
  return { feasible, refused };
}

function firstRefusal(tests: readonly ((node: NodeInfo) => true | Refusal)[], node: NodeInfo): Refusal | undefined {
  for (const test of tests) {
    const verdict = test(node);
    if (verdict !== true) return verdict;
  }
  return undefined;
}

/** The best of the nodes that do; among equals one by a chance that the pod's uid decides, so that it can be replayed. */
export function best(pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): NodeInfo | undefined {
  if (nodes.length < 2) return nodes[0];
  const totals = nodes.map(() => 0);
  for (const { rate, scale, weight } of scores) {
    const rating = rate(pod, cluster, nodes);
    if (!rating) continue;
    scale(nodes.map(rating)).forEach((score, i) => {
      totals[i] = (totals[i] ?? 0) + score * weight;
    });
  }
  const top = Math.max(...totals);
  const equals = nodes.filter((_, i) => totals[i] === top);
  return equals[fnv32(pod.uid) % equals.length];
}
