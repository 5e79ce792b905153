import { filters } from "./filters/index.ts";
import type { Cluster, Refusal } from "./framework.ts";
import type { PodInfo } from "./pod.ts";
import { scores } from "./scores/index.ts";
import type { NodeInfo } from "./snapshot.ts";

export type Feasibility = { feasible: NodeInfo[]; refused: Map<NodeInfo, Refusal> };

/** Nodes that the pod fits on, and why the others do not do. */
export function feasibility(pod: PodInfo, cluster: Cluster, nodes: Iterable<NodeInfo>): Feasibility {
  const tests = filters.map((filter) => filter.judge(pod, cluster)).filter((test) => test !== undefined);
  const feasible: NodeInfo[] = [];
  const refused = new Map<NodeInfo, Refusal>();
  for (const node of nodes) {
    const refusal = firstRefusal(tests, node);
    if (refusal) refused.set(node, refusal);
    else feasible.push(node);
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
  return equals[hash(pod.uid) % equals.length];
}

/** 32-bit FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
