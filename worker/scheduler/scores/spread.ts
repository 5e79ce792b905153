import { matchesSelector } from "../../lib/selectors.ts";
import { type Cluster, MAX_SCORE, type Scale, type Score } from "../framework.ts";
import type { PodInfo } from "../pod.ts";
import type { NodeInfo } from "../snapshot.ts";

/** A wish to have few of the same in one domain. */
type Wish = { key: string; maxSkew: number; same: (other: PodInfo) => boolean };

/** Pods of one controller are spread though no one asked, first over hosts, then over zones. */
const DEFAULTS = [
  { key: "kubernetes.io/hostname", maxSkew: 3 },
  { key: "topology.kubernetes.io/zone", maxSkew: 5 },
];

function wishesOf(pod: PodInfo): Wish[] {
  const constraints = pod.pod.spec.topologySpreadConstraints ?? [];
  if (constraints.length > 0)
    return constraints
      .filter((constraint) => constraint.whenUnsatisfiable === "ScheduleAnyway")
      .map(({ topologyKey, maxSkew, labelSelector }) => ({
        key: topologyKey,
        maxSkew,
        same: (other) => other.namespace === pod.namespace && matchesSelector(labelSelector, other.labels),
      }));
  if (!pod.owner) return [];
  return DEFAULTS.map((constraint) => ({ ...constraint, same: (other) => other.owner === pod.owner }));
}

function countDomains({ key, same }: Wish, { snapshot }: Cluster): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of snapshot.nodes.values()) {
    const domain = node.labels[key];
    if (domain === undefined) continue;
    let matching = counts.get(domain) ?? 0;
    for (const other of node.pods.values()) if (!other.leaving && same(other)) matching++;
    counts.set(domain, matching);
  }
  return counts;
}

/** Fewer is better, and the least full domain counts as full marks. */
const byDistance: Scale = (rates) => {
  const most = Math.max(...rates);
  const least = Math.min(...rates);
  return rates.map((rate) => (most === 0 ? MAX_SCORE : Math.floor((MAX_SCORE * (most + least - rate)) / most)));
};

/** https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#internal-default-constraints */
export const spread: Score = {
  name: "PodTopologySpread",
  weight: 2,
  scale: byDistance,
  rate(pod, cluster, nodes) {
    const known = (key: string) => nodes.some((node: NodeInfo) => node.labels[key] !== undefined);
    const wishes = wishesOf(pod).filter(({ key }) => known(key));
    if (wishes.length === 0) return undefined;
    const counted = wishes.map((wish) => {
      const counts = countDomains(wish, cluster);
      // A domain of many counts more heavily than the few that a wide key can ever differ in.
      return { wish, counts, weight: Math.log(counts.size + 2) };
    });
    return (node) =>
      counted.reduce((sum, { wish, counts, weight }) => {
        const domain = node.labels[wish.key];
        return domain === undefined ? sum : sum + (counts.get(domain) ?? 0) * weight + (wish.maxSkew - 1);
      }, 0);
  },
};
