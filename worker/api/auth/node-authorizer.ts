/**
 * What a node's own credential may do: what the pods on it need, and nothing of other nodes. What it may say of itself
 * and of its pods is NodeRestriction's to check, which sees the objects.
 * https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
import { SERIES_GRANT } from "../../lib/facts/metric-series.ts";
import { isLogGrant } from "../../lib/kept-logs.ts";
import type { Reader } from "../../storage/store.ts";
import type { User } from "../request.ts";
import {
  attachment,
  claimed,
  configMap,
  deviceClaim,
  isMovingHere,
  mayPull,
  mayTransfer,
  ownPod,
  type Relation,
  resourceSlice,
  secret,
  serviceAccount,
  volumeOfClaim,
} from "./node-relations.ts";
import {
  type Attributes,
  type Authorizer,
  type Decision,
  type PolicyRule,
  type ResourceAttributes,
  ruleAllows,
} from "./rules.ts";

const NODE_PREFIX = "system:node:";

/** The node that a user is ("" where nobody can say which), or undefined for anyone else. */
export function nodeOf(user: User): string | undefined {
  return user.name.startsWith(NODE_PREFIX) && user.groups.includes("system:nodes")
    ? user.name.slice(NODE_PREFIX.length)
    : undefined;
}

const allow: Decision = { allowed: true, reason: "" };
const deny = (reason: string): Decision => ({ allowed: false, reason });
const READ = ["get", "list", "watch"];
const WRITE = ["create", "update", "patch"];

/** What any node may do to any object of these resources. */
const RULES: readonly PolicyRule[] = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["subjectaccessreviews", "localsubjectaccessreviews"],
    verbs: ["create"],
  },
  { apiGroups: [""], resources: ["services"], verbs: READ },
  { apiGroups: [""], resources: ["endpoints"], verbs: ["get"] },
  { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: WRITE },
  { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create", ...READ] },
  { apiGroups: ["storage.k8s.io"], resources: ["csidrivers"], verbs: READ },
  { apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"], verbs: READ },
];

type Rule = (a: ResourceAttributes, node: string, reader: Reader) => Decision;

const related =
  (relation: Relation): Rule =>
  (a, node, reader) => {
    if (!a.name) return deny("No Object name found");
    return relation(reader, node, a.namespace, a.name)
      ? allow
      : deny(`no relationship found between node '${node}' and this object`);
  };

const read =
  (relation: Relation): Rule =>
  (a, node, reader) => {
    if (!READ.includes(a.verb)) return deny("can only read resources of this type");
    if (a.subresource) return deny("cannot read subresource");
    if (!a.namespace) return deny("can only read namespaced object of this type");
    return related(relation)(a, node, reader);
  };

const get =
  (relation: Relation): Rule =>
  (a, node, reader) => {
    if (a.verb !== "get") return deny("can only get individual resources of this type");
    if (a.subresource) return deny("cannot get subresource");
    return related(relation)(a, node, reader);
  };

const claim: Rule = (a, node, reader) => {
  if (a.subresource !== "status") return get(claimed)(a, node, reader);
  if (!["update", "patch"].includes(a.verb)) return deny("can only get/update/patch this type");
  return related(claimed)(a, node, reader);
};

const account: Rule = (a, node, reader) => {
  if (a.verb === "get" && a.subresource === "") return read(serviceAccount)(a, node, reader);
  if (a.verb !== "create" || !a.name) return deny("can only create tokens for individual service accounts");
  if (a.subresource !== "token") return deny("can only create token subresource of serviceaccount");
  return related(serviceAccount)(a, node, reader);
};

const OWN_VERBS = ["get", "create", "update", "patch", "delete"];

const lease: Rule = (a, node) => {
  if (!OWN_VERBS.includes(a.verb)) return deny("can only get, create, update, patch, or delete a node lease");
  if (a.namespace !== "kube-node-lease")
    return deny('can only access leases in the "kube-node-lease" system namespace');
  // A create has no name in its path; NodeRestriction looks into the body.
  if (a.verb !== "create" && a.name !== node)
    return deny("can only access node lease with the same name as the requesting node");
  return allow;
};

const csiNode: Rule = (a, node) => {
  if (!OWN_VERBS.includes(a.verb)) return deny("can only get, create, update, patch, or delete a CSINode");
  if (a.subresource) return deny("cannot authorize CSINode subresources");
  if (a.verb !== "create" && a.name !== node)
    return deny("can only access CSINode with the same name as the requesting node");
  return allow;
};

/** Whether a list is of what is on the node. */
const selects = ({ fieldSelector = "" }: ResourceAttributes, node: string) =>
  fieldSelector.split(",").some((term) => term.replace("==", "=") === `spec.nodeName=${node}`);

const slice: Rule = (a, node, reader) => {
  if (a.subresource) return deny("cannot authorize ResourceSlice subresources");
  if (a.verb === "create") return allow;
  if (OWN_VERBS.includes(a.verb)) return related(resourceSlice)(a, node, reader);
  if (!["list", "watch", "deletecollection"].includes(a.verb))
    return deny(
      "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
    );
  if (selects(a, node)) return allow;
  return deny("can only list/watch/deletecollection resourceslices with nodeName field selector");
};

const pod: Rule = (a, node, reader) => {
  const asked = `${a.verb} ${a.subresource}`;
  if (["create ", "delete ", "update status", "patch status", "create eviction"].includes(asked)) return allow;
  if (asked === "get ") return related(ownPod)(a, node, reader);
  if (asked !== "list " && asked !== "watch ") return deny("");
  if (selects(a, node)) return allow;
  if (a.name) return related(ownPod)(a, node, reader);
  return deny("can only list/watch pods with spec.nodeName field selector");
};

const ownNode: Rule = (a, node) => {
  if (a.subresource === "status") return ["update", "patch"].includes(a.verb) ? allow : deny("");
  if (a.subresource) return deny("");
  if (WRITE.includes(a.verb)) return allow;
  if (!READ.includes(a.verb)) return deny("");
  if (a.name === node) return allow;
  const which = a.name ? `'${a.name}'` : "all nodes";
  return deny(`node '${node}' cannot read ${which}, only its own Node object`);
};

/** By resource and group. */
const BY_RESOURCE: Readonly<Record<string, Rule>> = {
  secrets: read(secret),
  configmaps: read(configMap),
  persistentvolumeclaims: claim,
  persistentvolumes: get(volumeOfClaim),
  "resourceclaims.resource.k8s.io": get(deviceClaim),
  "volumeattachments.storage.k8s.io": get(attachment),
  serviceaccounts: account,
  "leases.coordination.k8s.io": lease,
  "csinodes.storage.k8s.io": csiNode,
  "resourceslices.resource.k8s.io": slice,
  nodes: ownNode,
  pods: pod,
};

export function nodeAuthorizer(reader: Reader): Authorizer {
  return (user, attributes: Attributes) => {
    const node = nodeOf(user);
    if (node === undefined) return deny("");
    if (node === "") return deny(`unknown node for user ${JSON.stringify(user.name)}`);
    if (attributes.type === "resource") {
      const { resource, group } = attributes;
      const rule = BY_RESOURCE[group ? `${resource}.${group}` : resource];
      if (rule) return rule(attributes, node, reader);
    } else {
      const { verb, path } = attributes;
      if (verb === "get" && isMovingHere(reader, node, path)) return allow;
      if (verb === "post" && (isLogGrant(path) || path === SERIES_GRANT)) return allow;
      if (mayTransfer(reader, node, verb, path)) return allow;
      if (verb === "get" && mayPull(reader, node, path)) return allow;
    }
    return RULES.some((rule) => ruleAllows(rule, attributes)) ? allow : deny("");
  };
}
