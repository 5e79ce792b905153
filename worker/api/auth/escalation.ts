/**
 * Nobody grants what they do not hold, unless they may `escalate` the role or `bind` it.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
import { same } from "../../kinds/paths.ts";
import type { ObjectMeta } from "../../lib/object.ts";
import { forbidden, notFound } from "../../lib/status.ts";
import type { User } from "../request.ts";
import { ADMINISTRATORS } from "./authorize.ts";
import type { Rbac, RoleRef } from "./rbac.ts";
import { type Authorizer, aggregate, compact, describeRule, type PolicyRule, uncovered } from "./rules.ts";

const GROUP = "rbac.authorization.k8s.io";

type RbacObject = {
  metadata?: ObjectMeta;
  rules?: PolicyRule[] | null;
  aggregationRule?: unknown;
  roleRef?: RoleRef;
  subjects?: unknown[];
};

/** A write of one RBAC object, defaulted; `old` is absent on creation. */
export type RbacWrite = {
  user: User;
  resource: string;
  namespace: string;
  object: RbacObject;
  old: RbacObject | undefined;
};

const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** What the garbage collector may change of any object: who changes no more grants nothing. */
function grantsNothing(object: RbacObject, old: RbacObject): boolean {
  const rest = ({ metadata = {}, ...others }: RbacObject) => {
    const { ownerReferences: _, finalizers: __, managedFields: ___, resourceVersion: ____, ...kept } = metadata;
    return { ...others, metadata: kept };
  };
  return same(rest(object), rest(old));
}

function may(authorizer: Authorizer, write: RbacWrite, verb: string, resource: string, name: string): boolean {
  return authorizer(write.user, {
    type: "resource",
    verb,
    group: GROUP,
    version: "v1",
    resource,
    subresource: "",
    namespace: write.namespace,
    name,
  }).allowed;
}

/** Why the user may not grant these rules; undefined when it holds them all. */
function notHeld(rbac: Rbac, { user, namespace }: RbacWrite, rules: readonly PolicyRule[]): string | undefined {
  const held = rbac.rulesAndErrors(user, namespace);
  const missing = uncovered(held.rules, rules);
  if (missing.length === 0) return undefined;
  const groups = `[${user.groups.map((group) => JSON.stringify(group)).join(" ")}]`;
  const list = [...new Set(compact(missing).map(describeRule))].toSorted().join("\n");
  const errors = held.errors.length ? `; resolution errors: [${aggregate(held.errors)}]` : "";
  return `user ${JSON.stringify(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${list}${errors}`;
}

function checkRole(rbac: Rbac, authorizer: Authorizer, write: RbacWrite): string | undefined {
  const { object, old, resource } = write;
  // A role that is yet to be made has no name in the URL, by which a rule could mean it alone.
  if (may(authorizer, write, "escalate", resource, old?.metadata?.name ?? "")) return undefined;
  const why = notHeld(rbac, write, object.rules ?? []);
  if (why) return why;
  const isAggregated = object.aggregationRule || old?.aggregationRule;
  return isAggregated && notHeld(rbac, write, FULL_AUTHORITY)
    ? "must have cluster-admin privileges to use the aggregationRule"
    : undefined;
}

function checkBinding(rbac: Rbac, authorizer: Authorizer, write: RbacWrite): string | undefined {
  const { object, namespace } = write;
  const { roleRef } = object;
  if (!roleRef) return undefined;
  const resource = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  if (may(authorizer, write, "bind", resource, roleRef.name)) return undefined;
  const rules = rbac.rulesOf(roleRef, namespace);
  if (!rules) throw notFound({ group: GROUP, resource: write.resource, name: roleRef.name });
  return notHeld(rbac, write, rules);
}

const CHECKS: Readonly<Record<string, typeof checkRole>> = {
  roles: checkRole,
  clusterroles: checkRole,
  rolebindings: checkBinding,
  clusterrolebindings: checkBinding,
};

export type EscalationCheck = (write: RbacWrite) => void;

/** Throws the 403 for a write that would grant more than its author holds. Other resources pass. */
export function escalationCheck(rbac: Rbac, authorizer: Authorizer): EscalationCheck {
  return (write) => {
    if (write.user.groups.includes(ADMINISTRATORS)) return;
    if (write.old && grantsNothing(write.object, write.old)) return;
    const why = CHECKS[write.resource]?.(rbac, authorizer, write);
    if (why) throw forbidden({ group: GROUP, resource: write.resource, name: write.object.metadata?.name ?? "" }, why);
  };
}
