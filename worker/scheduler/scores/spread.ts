import { matchesSelector } from "../../lib/selectors.ts";
import { type Cluster, MAX_SCORE, type Scale, type Score } from "../framework.ts";
import type { PodInfo, Traits } from "../pod.ts";
import type { NodeInfo } from "../snapshot.ts";

/** A wish to have few of the same in one domain. */
type Wish = { key: string; maxSkew: number; same: (other: Traits) => boolean };

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
  snapshot.visit(
    (other) => !other.leaving && same(other),
    ({ labels }, count) => {
      const domain = labels[key];
      if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + count);
    },
  );
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
      return { wish, counts, weight: Math.log(cluster.snapshot.domains(wish.key) + 2) };
    });
    return (node) =>
      counted.reduce((sum, { wish, counts, weight }) => {
        const domain = node.labels[wish.key];
        return domain === undefined ? sum : sum + (counts.get(domain) ?? 0) * weight + (wish.maxSkew - 1);
      }, 0);
  },
};
