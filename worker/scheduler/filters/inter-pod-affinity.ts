import { Namespace } from "../../kinds/core/namespace.ts";
import type { CoreV1PodAffinityTerm } from "../../kinds/generated/types.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { type Cluster, type Filter, refuse, refuseFinally } from "../framework.ts";
import type { PodInfo, Traits } from "../pod.ts";
import type { NodeInfo } from "../snapshot.ts";

/** How many matching pods are in each topology domain, by `key=value`. */
type Domains = Map<string, number>;

const domainOf = (term: CoreV1PodAffinityTerm, node: NodeInfo): string | undefined => {
  const value = node.labels[term.topologyKey];
  return value === undefined ? undefined : `${term.topologyKey}=${value}`;
};

/** Does `term`, of a pod in `namespace`, mean this other pod? */
export function meansPod(term: CoreV1PodAffinityTerm, namespace: string, other: Traits, { view }: Cluster): boolean {
  if (!matchesSelector(term.labelSelector, other.labels)) return false;
  if (term.namespaces?.includes(other.namespace)) return true;
  if (term.namespaceSelector)
    return matchesSelector(term.namespaceSelector, view.get(Namespace, "", other.namespace)?.metadata.labels);
  return !term.namespaces?.length && other.namespace === namespace;
}

/** Domains in which some pod is meant by the term. */
function domainsOf(terms: readonly CoreV1PodAffinityTerm[], pod: PodInfo, cluster: Cluster): Domains[] {
  return terms.map((term) => {
    const domains: Domains = new Map();
    cluster.snapshot.visit(
      (other) => meansPod(term, pod.namespace, other, cluster),
      (node, count) => {
        const domain = domainOf(term, node);
        if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + count);
      },
    );
    return domains;
  });
}

/** Domains that pods already there keep this one out of. */
function closedDomains(pod: PodInfo, cluster: Cluster): Set<string> {
  const closed = new Set<string>();
  if (cluster.snapshot.affine === 0) return closed;
  const against = (other: Traits) => other.shuns.filter((term) => meansPod(term, other.namespace, pod, cluster));
  cluster.snapshot.visit(
    (other) => other.shuns.length > 0 && against(other).length > 0,
    (node, _count, other) => {
      for (const term of against(other)) {
        const domain = domainOf(term, node);
        if (domain !== undefined) closed.add(domain);
      }
    },
  );
  return closed;
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity */
export const interPodAffinity: Filter = {
  name: "InterPodAffinity",
  judge(pod, cluster) {
    const closed = closedDomains(pod, cluster);
    if (pod.needs.length === 0 && pod.shuns.length === 0 && closed.size === 0) return undefined;
    const needed = domainsOf(pod.needs, pod, cluster);
    const shunned = domainsOf(pod.shuns, pod, cluster);
    // The first pod of a group that wants to be together would wait for itself for ever.
    const first =
      needed.every((domains) => domains.size === 0) &&
      pod.needs.every((term) => meansPod(term, pod.namespace, pod, cluster));
    return (node) => {
      const near = pod.needs.every((term, i) => {
        const domain = domainOf(term, node);
        return domain !== undefined && (first || (needed[i]?.has(domain) ?? false));
      });
      if (!near) return refuseFinally("node(s) didn't match pod affinity rules");
      if (pod.shuns.some((term, i) => shunned[i]?.has(domainOf(term, node) ?? "")))
        return refuse("node(s) didn't match pod anti-affinity rules");
      for (const [key, value] of closed.size > 0 ? Object.entries(node.labels) : [])
        if (closed.has(`${key}=${value}`)) return refuse("node(s) didn't satisfy existing pods anti-affinity rules");
      return true;
    };
  },
};
