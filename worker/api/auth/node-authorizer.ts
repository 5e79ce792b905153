/**
 * What a node's own credential may do: what the pods on it need, and nothing of other nodes.
 * https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
import { type PodReferences, podReferences } from "../../kinds/core/pod-references.ts";
import type { Reader } from "../../storage/store.ts";
import type { User } from "../request.ts";
import {
  type Attributes,
  type Authorizer,
  type Decision,
  type PolicyRule,
  type ResourceAttributes,
  ruleAllows,
} from "./rules.ts";

const NODE_PREFIX = "system:node:";

/** The node that a user is, or undefined for anyone else. */
export function nodeOf(user: User): string | undefined {
  return user.name.startsWith(NODE_PREFIX) && user.groups.includes("system:nodes")
    ? user.name.slice(NODE_PREFIX.length)
    : undefined;
}

const allow: Decision = { allowed: true, reason: "" };
const deny = (reason: string): Decision => ({ allowed: false, reason });
const READ = ["get", "list", "watch"];

/** What any node may do to any object; which objects of its own it may write is NodeRestriction's. */
const RULES: readonly PolicyRule[] = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["subjectaccessreviews", "localsubjectaccessreviews"],
    verbs: ["create"],
  },
  { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    verbs: ["create"],
  },
  { apiGroups: [""], resources: ["services"], verbs: READ },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
  { apiGroups: [""], resources: ["endpoints"], verbs: ["get"] },
  { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "update", "patch"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["create", "delete"] },
  { apiGroups: [""], resources: ["pods/status"], verbs: ["update", "patch"] },
  { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
  { apiGroups: [""], resources: ["nodes"], verbs: ["create", "update", "patch"] },
  { apiGroups: [""], resources: ["nodes/status"], verbs: ["update", "patch"] },
  { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create", ...READ] },
  { apiGroups: ["storage.k8s.io"], resources: ["csidrivers"], verbs: READ },
  { apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"], verbs: READ },
];

/** Pods bound to a node that may mention `name`, parsed only when their text does. */
function mentioned(
  reader: Reader,
  node: string,
  resource: keyof PodReferences,
  namespace: string,
  name: string,
): boolean {
  const quoted = JSON.stringify(name);
  return reader
    .byRef(`node=${node}`, "pods")
    .some(
      (pod) =>
        pod.namespace === namespace &&
        (pod.json.includes(quoted) || resource === "serviceaccounts") &&
        podReferences(JSON.parse(pod.json))[resource].has(name),
    );
}

type Rule = (a: ResourceAttributes, node: string, reader: Reader) => Decision;

const unrelated = (node: string) => deny(`no relationship found between node '${node}' and this object`);

const related =
  (resource: keyof PodReferences, verbs: readonly string[], refused: string): Rule =>
  (a, node, reader) => {
    if (!verbs.includes(a.verb)) return deny(refused);
    if (a.subresource) return deny("cannot read subresource");
    if (!a.name) return deny("No Object name found");
    return mentioned(reader, node, resource, a.namespace, a.name) ? allow : unrelated(node);
  };

const token: Rule = (a, node, reader) => {
  if (a.subresource === "" && a.verb === "get")
    return mentioned(reader, node, "serviceaccounts", a.namespace, a.name) ? allow : unrelated(node);
  if (a.verb !== "create" || a.subresource !== "token")
    return deny("can only create tokens for individual service accounts");
  if (!a.name) return deny("can only create tokens for individual service accounts");
  return mentioned(reader, node, "serviceaccounts", a.namespace, a.name) ? allow : unrelated(node);
};

const lease: Rule = (a, node) => {
  if (!["get", "create", "update", "patch", "delete"].includes(a.verb))
    return deny("can only get, create, update, patch, or delete a node lease");
  if (a.namespace !== "kube-node-lease")
    return deny('can only access leases in the "kube-node-lease" system namespace');
  // A create has no name in its path; NodeRestriction looks into the body.
  if (a.verb !== "create" && a.name !== node)
    return deny("can only access node lease with the same name as the requesting node");
  return allow;
};

const ownPods: Rule = (a, node, reader) => {
  if (a.verb === "list" || a.verb === "watch") {
    const terms = (a.fieldSelector ?? "").split(",");
    return terms.some((term) => term.replace("==", "=") === `spec.nodeName=${node}`)
      ? allow
      : deny("can only list/watch pods with spec.nodeName field selector");
  }
  if (a.subresource) return deny("can only read pods");
  const known = reader
    .byRef(`node=${node}`, "pods")
    .some((pod) => pod.namespace === a.namespace && pod.name === a.name);
  return known ? allow : unrelated(node);
};

const ownNode: Rule = (a, node) =>
  a.name === node && a.subresource === ""
    ? allow
    : deny(`node '${node}' cannot read all nodes, only its own Node object`);

/** Rules for what is readable by relation, tried after the general ones. */
const RELATIONS: readonly { group: string; resource: string; verbs: readonly string[] | undefined; rule: Rule }[] = [
  {
    group: "",
    resource: "secrets",
    verbs: undefined,
    rule: related("secrets", READ, "can only read resources of this type"),
  },
  {
    group: "",
    resource: "configmaps",
    verbs: undefined,
    rule: related("configmaps", READ, "can only read resources of this type"),
  },
  {
    group: "",
    resource: "persistentvolumeclaims",
    verbs: undefined,
    rule: related("persistentvolumeclaims", ["get"], "can only get individual resources of this type"),
  },
  { group: "", resource: "serviceaccounts", verbs: undefined, rule: token },
  { group: "", resource: "pods", verbs: READ, rule: ownPods },
  { group: "", resource: "nodes", verbs: READ, rule: ownNode },
  { group: "coordination.k8s.io", resource: "leases", verbs: undefined, rule: lease },
];

export function nodeAuthorizer(reader: Reader): Authorizer {
  return (user, attributes: Attributes) => {
    const node = nodeOf(user);
    if (!node) return deny("");
    if (RULES.some((rule) => ruleAllows(rule, attributes))) return allow;
    if (attributes.type === "path") return deny("");
    const relation = RELATIONS.find(
      (candidate) =>
        candidate.group === attributes.group &&
        candidate.resource === attributes.resource &&
        (candidate.verbs?.includes(attributes.verb) ?? true),
    );
    return relation ? relation.rule(attributes, node, reader) : deny("");
  };
}
