import { asIs, MAX_SCORE, type Score } from "../framework.ts";
import type { PodInfo } from "../pod.ts";
import { assumedUse, type NodeInfo } from "../snapshot.ts";

const RESOURCES = ["cpu", "memory"] as const;

/** The share of a resource in use once the pod is there, 0…1; undefined when the node has none of it. */
function share(name: string, pod: PodInfo, { allocatable, used }: NodeInfo): number | undefined {
  const whole = allocatable.get(name) ?? 0;
  return whole > 0 ? Math.min(1, ((used.get(name) ?? 0) + assumedUse(pod, name)) / whole) : undefined;
}

const shares = (pod: PodInfo, node: NodeInfo): number[] =>
  RESOURCES.map((name) => share(name, pod, node)).filter((value) => value !== undefined);

/** The node with the most left free. */
export const leastAllocated: Score = {
  name: "NodeResourcesFit",
  weight: 1,
  scale: asIs,
  rate: (pod) => (node) => {
    const used = shares(pod, node);
    if (used.length === 0) return 0;
    return Math.floor(used.reduce((sum, value) => sum + (1 - value) * MAX_SCORE, 0) / used.length);
  },
};

/** The node whose resources are used up evenly, so that none is left over that nothing fits into. */
export const balancedAllocation: Score = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  scale: asIs,
  rate(pod) {
    if (!RESOURCES.some((name) => pod.requests.get(name))) return undefined;
    return (node) => {
      const used = shares(pod, node);
      const mean = used.reduce((sum, value) => sum + value, 0) / (used.length || 1);
      const deviation = Math.sqrt(used.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (used.length || 1));
      return Math.floor((1 - deviation) * MAX_SCORE);
    };
  },
};
