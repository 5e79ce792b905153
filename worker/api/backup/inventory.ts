/** What a restore would take away. */
import type { Reader } from "../../storage/store.ts";

/** Every cluster has these from the start. */
const FIRST_NAMESPACES: ReadonlySet<string> = new Set(["default", "kube-node-lease", "kube-public", "kube-system"]);
/** What users make. A new cluster has none of them. */
const COUNTED = ["nodes", "pods", "customresourcedefinitions.apiextensions.k8s.io", "persistentvolumes", "secrets"];
/** A new cluster has some of these in `default`: the API's own. */
const WORKLOADS = [
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "replicasets.apps",
  "replicationcontrollers",
  "jobs.batch",
  "cronjobs.batch",
  "persistentvolumeclaims",
];

/** In words: `2 nodes, 14 pods`; "" for a cluster in which nobody has made anything yet. */
export function inventory(store: Reader): string {
  const namespaces = store.list({ resource: "namespaces" }).items.filter(({ name }) => !FIRST_NAMESPACES.has(name));
  const counts: [string, number][] = [
    ["namespaces", namespaces.length],
    ["services", Math.max(0, store.count({ resource: "services" }) - 1)],
    ...[...COUNTED, ...WORKLOADS].map((resource): [string, number] => [resource, store.count({ resource })]),
  ];
  return counts
    .filter(([, count]) => count > 0)
    .map(([resource, count]) => `${count} ${resource.split(".")[0]}`)
    .join(", ");
}
