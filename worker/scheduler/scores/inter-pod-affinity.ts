import type { CoreV1PodAffinityTerm } from "../../kinds/generated/types.ts";
import { meansPod } from "../filters/inter-pod-affinity.ts";
import { MAX_SCORE, type Scale, type Score } from "../framework.ts";
import { isAffine, type Traits } from "../pod.ts";
import type { NodeInfo } from "../snapshot.ts";

/** Rates may be negative: the worst node gets 0, the best 100. */
const overRange: Scale = (rates) => {
  const most = Math.max(...rates);
  const range = most - Math.min(...rates);
  return rates.map((rate) => (range === 0 ? 0 : Math.floor((MAX_SCORE * (rate - (most - range))) / range)));
};

/** What a required affinity of a pod that is there already adds for those it wants near. */
const HARD_WEIGHT = 1;

const wishesOf = ({ needs, prefers, avoids }: Traits) => [
  ...needs.map((term) => ({ weight: HARD_WEIGHT, term })),
  ...prefers.map(({ weight, podAffinityTerm: term }) => ({ weight, term })),
  ...avoids.map(({ weight, podAffinityTerm: term }) => ({ weight: -weight, term })),
];

/** Wishes to be near or far, of this pod towards those there, and of those there towards this one. */
export const preferredPodAffinity: Score = {
  name: "InterPodAffinity",
  weight: 2,
  scale: overRange,
  rate(pod, cluster) {
    const { snapshot } = cluster;
    const own = [
      ...pod.prefers.map(({ weight, podAffinityTerm: term }) => ({ weight, term })),
      ...pod.avoids.map(({ weight, podAffinityTerm: term }) => ({ weight: -weight, term })),
    ];
    if (own.length === 0 && snapshot.affine === 0) return undefined;
    const sums = new Map<string, number>();
    const add = (term: CoreV1PodAffinityTerm, node: NodeInfo, weight: number) => {
      const value = node.labels[term.topologyKey];
      if (value === undefined) return;
      const domain = `${term.topologyKey}=${value}`;
      sums.set(domain, (sums.get(domain) ?? 0) + weight);
    };
    for (const { weight, term } of own)
      snapshot.visit(
        (other) => meansPod(term, pod.namespace, other, cluster),
        (node, count) => add(term, node, weight * count),
      );
    if (snapshot.affine > 0)
      snapshot.visit(isAffine, (node, count, other) => {
        for (const { weight, term } of wishesOf(other))
          if (meansPod(term, other.namespace, pod, cluster)) add(term, node, weight * count);
      });
    if (sums.size === 0) return undefined;
    return (node) =>
      Object.entries(node.labels).reduce((sum, [key, value]) => sum + (sums.get(`${key}=${value}`) ?? 0), 0);
  },
};
