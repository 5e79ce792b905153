import type { KubeObject } from "../../lib/object.ts";
import { nodeOf } from "../auth/node-authorizer.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, refusal } from "./admission.ts";

/** Labels in Kubernetes' own domains that a node may set on itself; others steer which workloads it gets. */
const OWN_LABELS = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
]);
const OWN_LABEL_DOMAINS = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const KUBERNETES_DOMAIN = /(^|\.)(kubernetes|k8s)\.io$/;

const within = (domain: string, parent: string) => domain === parent || domain.endsWith(`.${parent}`);

function isReserved(label: string): boolean {
  const domain = label.includes("/") ? (label.split("/")[0] as string) : "";
  if (!KUBERNETES_DOMAIN.test(domain) || OWN_LABELS.has(label)) return false;
  return !OWN_LABEL_DOMAINS.some((own) => within(domain, own));
}

function changedLabels(object: Readonly<KubeObject>, old: Readonly<KubeObject> | undefined): string[] {
  const [now, before] = [object.metadata?.labels ?? {}, old?.metadata?.labels ?? {}];
  return [...new Set([...Object.keys(now), ...Object.keys(before)])]
    .filter((key) => now[key] !== before[key])
    .toSorted();
}

const taintsOf = (object: Readonly<KubeObject> | undefined) =>
  JSON.stringify((object as { spec?: { taints?: unknown[] } } | undefined)?.spec?.taints ?? []);

function nodeProblem(node: string, { object, old, action, subresource }: Operation): string | undefined {
  const reserved = changedLabels(object, old).filter(isReserved);
  if (reserved.length)
    return action === "CREATE"
      ? `is not allowed to set the following labels: ${reserved.join(", ")}`
      : `is not allowed to modify labels: ${reserved.join(", ")}`;
  if (action === "UPDATE" && subresource === "" && taintsOf(object) !== taintsOf(old))
    return `node ${JSON.stringify(node)} is not allowed to modify taints`;
  return undefined;
}

const podProblem = (node: string, { object, old, subresource }: Operation): string | undefined =>
  subresource === "status" && changedLabels(object, old).length
    ? `node ${JSON.stringify(node)} cannot update labels through pod status`
    : undefined;

const PROBLEMS: Readonly<Record<string, typeof nodeProblem>> = { nodes: nodeProblem, pods: podProblem };

/**
 * What a node may not say of itself and its pods; which objects are its own is asked before, from the URL.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
export const nodeRestriction: Admission = {
  name: "NodeRestriction",
  admits(operation) {
    const node = nodeOf(operation.user);
    if (node === undefined || operation.action === "DELETE") return;
    const why = PROBLEMS[operation.kind.groupResource]?.(node, operation);
    if (why) throw refusal(operation, why);
  },
};
