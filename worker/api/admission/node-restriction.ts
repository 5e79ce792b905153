import { podReferences } from "../../kinds/core/pod-references.ts";
import type { CertificatesV1CertificateSigningRequest, CoreV1Node, CoreV1Pod } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { readCertificateRequest } from "../../lib/certificate-requests.ts";
import type { KubeObject } from "../../lib/object.ts";
import { notFound } from "../../lib/status.ts";
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
const MIRROR = "kubernetes.io/config.mirror";

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

const quoted = JSON.stringify;
type Check = (node: string, operation: Operation) => string | undefined;

/** As it is asked for: its name is in the URL, or in the body of a create. */
const nameOf = ({ action, name, object }: Operation) => (action === "CREATE" ? object.metadata?.name || name : name);

const nodeProblem: Check = (node, operation) => {
  const { object, old, action } = operation;
  const name = nameOf(operation);
  if (name !== node) return `node ${quoted(node)} is not allowed to modify node ${quoted(name ?? "")}`;
  if (action === "DELETE") return undefined;
  const [now, before] = [object as CoreV1Node, old as CoreV1Node | undefined];
  const reserved = changedLabels(object, old).filter(isReserved).join(", ");
  if (action === "CREATE") {
    if (now.spec?.configSource) return `node ${quoted(node)} is not allowed to create pods with a non-nil configSource`;
    return reserved && `node ${quoted(node)} is not allowed to set the following labels: ${reserved}`;
  }
  if (now.spec?.configSource && !same(now.spec.configSource, before?.spec?.configSource))
    return `node ${quoted(node)} is not allowed to update configSource to a new non-nil configSource`;
  if (!same(now.spec?.taints ?? [], before?.spec?.taints ?? []))
    return `node ${quoted(node)} is not allowed to modify taints`;
  if (!same(now.metadata?.ownerReferences ?? [], before?.metadata?.ownerReferences ?? []))
    return `node ${quoted(node)} is not allowed to modify ownerReferences`;
  return reserved && `is not allowed to modify labels: ${reserved}`;
};

const podProblem: Check = (node, operation) => {
  const { action, subresource, old } = operation;
  const isOwn = (old as CoreV1Pod | undefined)?.spec?.nodeName === node;
  if (subresource === "eviction")
    return isOwn ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`;
  if (subresource === "status")
    return isOwn
      ? podStatusProblem(node, operation)
      : `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`;
  if (subresource) return `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`;
  if (action === "CREATE") return mirrorProblem(node, operation);
  if (action === "DELETE")
    return isOwn ? undefined : `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`;
  return `unexpected operation ${quoted(action)}, node ${quoted(node)} can only create and delete mirror pods`;
};

const podStatusProblem: Check = (node, { object, old }) => {
  if (changedLabels(object, old).length) return `node ${quoted(node)} cannot update labels through pod status`;
  const [now, before] = [(object as CoreV1Pod).status, (old as CoreV1Pod).status];
  if (!same(now?.resourceClaimStatuses ?? [], before?.resourceClaimStatuses ?? []))
    return `node ${quoted(node)} cannot update resource claim statues`;
  if (!same(now?.extendedResourceClaimStatus, before?.extendedResourceClaimStatus))
    return `node ${quoted(node)} cannot update extended resource claim status`;
  return undefined;
};

/** A pod of the node's own making stands for what runs there already, and may ask for nothing. */
const mirrorProblem: Check = (node, { object, txn }) => {
  const pod = object as CoreV1Pod;
  const only = (what: string) => `node ${quoted(node)} can only create pods with ${what}`;
  if (pod.metadata?.annotations?.[MIRROR] === undefined)
    return `pod does not have ${quoted(MIRROR)} annotation, node ${quoted(node)} can only create mirror pods`;
  if (pod.spec?.nodeName !== node) return only("spec.nodeName set to itself");
  const [owner, another] = pod.metadata?.ownerReferences ?? [];
  if (another) return only("a single owner reference set to itself");
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node)
    return only("an owner reference set to itself");
  if (!owner.controller) return only("a controller owner reference set to itself");
  if (owner.blockOwnerDeletion) return `node ${quoted(node)} must not set blockOwnerDeletion on an owner reference`;
  const stored = txn.get({ resource: "nodes", namespace: "", name: node });
  if (!stored) throw notFound({ group: "", resource: "nodes", name: node });
  if (owner.uid !== stored.uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${stored.uid}`;
  const found = Object.entries(podReferences(pod)).find(([, names]) => names.size > 0);
  return found && `node ${quoted(node)} can not create pods that reference ${found[0]}`;
};

const claimProblem: Check = (node, { object, old, action, subresource }) => {
  if (subresource !== "status") return "may only update PVC status";
  if (action !== "UPDATE") return `unexpected operation ${quoted(action)}`;
  const rest = (claim: Readonly<KubeObject> | undefined) => {
    const { status, metadata, ...others } = (claim ?? {}) as KubeObject & { status?: Record<string, unknown> };
    const { resourceVersion: _, managedFields: __, ...kept } = metadata ?? {};
    const { capacity, conditions, allocatedResources, allocatedResourceStatuses, ...said } = status ?? {};
    return { ...others, metadata: kept, status: said };
  };
  return same(rest(object), rest(old))
    ? undefined
    : `node ${quoted(node)} is not allowed to update fields other than status.quantity and status.conditions`;
};

const leaseProblem: Check = (node, operation) => {
  if (operation.namespace !== "kube-node-lease")
    return 'can only access leases in the "kube-node-lease" system namespace';
  return nameOf(operation) === node
    ? undefined
    : "can only access node lease with the same name as the requesting node";
};

const csiNodeProblem: Check = (node, operation) =>
  nameOf(operation) === node ? undefined : "can only access CSINode with the same name as the requesting node";

const sliceProblem: Check = (node, { action, object }) => {
  const { nodeName } = (object as { spec?: { nodeName?: string } }).spec ?? {};
  if (action === "UPDATE" || nodeName === node) return undefined;
  return `can only ${action.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`;
};

const NODE_SIGNERS = ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"];

const requestProblem: Check = (node, { object, action }) => {
  const { spec } = object as unknown as CertificatesV1CertificateSigningRequest;
  if (action !== "CREATE" || !NODE_SIGNERS.includes(spec?.signerName ?? "")) return undefined;
  const asked = readCertificateRequest(spec.request);
  if ("problem" in asked) return `unable to parse csr: ${asked.problem}`;
  const name = `system:node:${node}`;
  return asked.commonName === name ? undefined : `can only create a node CSR with CN=${name}`;
};

const PROBLEMS: Readonly<Record<string, Check>> = {
  nodes: nodeProblem,
  pods: podProblem,
  persistentvolumeclaims: claimProblem,
  "leases.coordination.k8s.io": leaseProblem,
  "csinodes.storage.k8s.io": csiNodeProblem,
  "resourceslices.resource.k8s.io": sliceProblem,
  "certificatesigningrequests.certificates.k8s.io": requestProblem,
};

/**
 * What a node may write, and what it may not say of itself and its pods; for tokens it is `auth/token-requests.ts` that asks.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
export const nodeRestriction: Admission = {
  name: "NodeRestriction",
  admits(operation) {
    const node = nodeOf(operation.user);
    if (node === undefined) return;
    const why = node
      ? PROBLEMS[operation.kind.groupResource]?.(node, operation)
      : `could not determine node from user ${quoted(operation.user.name)}`;
    if (why) throw refusal({ ...operation, name: nameOf(operation) ?? "" }, why);
  },
};
