import type { CoreV1TopologySpreadConstraint } from "../../kinds/generated/types.ts";
import { selectsNode } from "../../lib/node-selectors.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { untolerated } from "../../lib/taints.ts";
import { type Cluster, type Filter, refuse, refuseFinally } from "../framework.ts";
import type { PodInfo } from "../pod.ts";
import type { NodeInfo } from "../snapshot.ts";

const UNEVEN = "node(s) didn't match pod topology spread constraints";

/** Matching pods in every domain that counts, by the value of the constraint's topology key. */
function countDomains(constraint: CoreV1TopologySpreadConstraint, pod: PodInfo, cluster: Cluster): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of cluster.snapshot.nodes.values()) {
    const domain = node.labels[constraint.topologyKey];
    if (domain !== undefined && countsNode(constraint, pod, node)) counts.set(domain, 0);
  }
  cluster.snapshot.visit(
    (other) =>
      other.namespace === pod.namespace && !other.leaving && matchesSelector(constraint.labelSelector, other.labels),
    (node, count) => {
      const domain = node.labels[constraint.topologyKey];
      if (domain !== undefined && countsNode(constraint, pod, node))
        counts.set(domain, (counts.get(domain) ?? 0) + count);
    },
  );
  return counts;
}

/** nodeAffinityPolicy (Honor unless told) and nodeTaintsPolicy (Ignore unless told) say which nodes make up domains. */
function countsNode(constraint: CoreV1TopologySpreadConstraint, { pod }: PodInfo, node: NodeInfo): boolean {
  if (constraint.nodeAffinityPolicy !== "Ignore" && !selectsNode(pod.spec, node)) return false;
  if (constraint.nodeTaintsPolicy !== "Honor") return true;
  return !untolerated(node.node.spec?.taints, pod.spec.tolerations, ["NoSchedule", "NoExecute"]);
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
export const podTopologySpread: Filter = {
  name: "PodTopologySpread",
  judge(pod, cluster) {
    const constraints = (pod.pod.spec.topologySpreadConstraints ?? []).filter(
      (constraint) => constraint.whenUnsatisfiable === "DoNotSchedule",
    );
    if (constraints.length === 0) return undefined;
    const judged = constraints.map((constraint) => {
      const counts = countDomains(constraint, pod, cluster);
      const fewest = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
      const own = matchesSelector(constraint.labelSelector, pod.labels) ? 1 : 0;
      return { constraint, counts, fewest, own };
    });
    return (node) => {
      for (const { constraint, counts, fewest, own } of judged) {
        const domain = node.labels[constraint.topologyKey];
        if (domain === undefined) return refuseFinally(`${UNEVEN} (missing required label)`);
        if ((counts.get(domain) ?? 0) + own - fewest > constraint.maxSkew) return refuse(UNEVEN);
      }
      return true;
    };
  },
};
