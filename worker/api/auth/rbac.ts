/**
 * Role-based access from the cluster's own objects. Bindings are read into an index by subject, which lives until one
 * of them changes; RoleBindings are indexed for each namespace when first asked.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import type { Store } from "../../storage/store.ts";
import type { User } from "../request.ts";
import { type Attributes, aggregate, type Decision, type PolicyRule, ruleAllows } from "./rules.ts";

export type RoleRef = { apiGroup?: string; kind: string; name: string };
export type RbacSubject = { kind: string; apiGroup?: string; name: string; namespace?: string };

const GROUP = "rbac.authorization.k8s.io";
const ROLES = `roles.${GROUP}`;
const CLUSTER_ROLES = `clusterroles.${GROUP}`;
const ROLE_BINDINGS = `rolebindings.${GROUP}`;
const CLUSTER_ROLE_BINDINGS = `clusterrolebindings.${GROUP}`;

type Binding = { name: string; roleRef: RoleRef; subjects: RbacSubject[] };
/** Subject → its bindings; a subject is `user:NAME` or `group:NAME`. */
type Index = Map<string, Binding[]>;

/** Rules that hold for a user, with where each came from. */
type Grant = { binding: Binding; namespace: string; rules: PolicyRule[]; subject: string };
type Resolution = { grants: Iterable<Grant>; errors: string[] };

function subjectKey(subject: RbacSubject, bindingNamespace: string): string {
  if (subject.kind === "ServiceAccount")
    return `user:system:serviceaccount:${subject.namespace || bindingNamespace}:${subject.name}`;
  return subject.kind === "Group" ? `group:${subject.name}` : `user:${subject.name}`;
}

const userKeys = (user: User) => [`user:${user.name}`, ...user.groups.map((group) => `group:${group}`)];

/** How a subject prints in the reason of a decision: `User "jane"`, `ServiceAccount "default/ns"`. */
function describeSubject(key: string, binding: Binding, namespace: string): string {
  const subject = binding.subjects.find((candidate) => subjectKey(candidate, namespace) === key);
  if (subject?.kind === "ServiceAccount") return `ServiceAccount "${subject.name}/${subject.namespace || namespace}"`;
  return `${subject?.kind ?? "User"} "${subject?.name ?? ""}"`;
}

export class Rbac {
  readonly #store: Store;
  readonly #indexes = new Map<string, Index>();
  readonly #rules = new Map<string, PolicyRule[]>();

  constructor(store: Store) {
    this.#store = store;
    store.onChange((changes) => {
      for (const { resource, namespace, name } of changes) {
        if (resource === ROLE_BINDINGS) this.#indexes.delete(namespace);
        else if (resource === CLUSTER_ROLE_BINDINGS) this.#indexes.delete("");
        else if (resource === ROLES || resource === CLUSTER_ROLES) this.#rules.delete(`${namespace}/${name}`);
      }
    });
  }

  /** Whether any binding allows it; the reason names the binding, or the roles that are missing. */
  authorize(user: User, attributes: Attributes): Decision {
    const namespace = attributes.type === "resource" ? attributes.namespace : "";
    const { grants, errors } = this.#resolve(user, namespace);
    for (const grant of grants)
      if (grant.rules.some((rule) => ruleAllows(rule, attributes)))
        return { allowed: true, reason: `RBAC: allowed by ${describeGrant(grant)}` };
    if (!errors.length) return { allowed: false, reason: "" };
    return { allowed: false, reason: `RBAC: ${aggregate(errors)}` };
  }

  /** All rules of a user in a namespace ("" for the cluster scope alone). */
  rulesFor(user: User, namespace: string): PolicyRule[] {
    return this.rulesAndErrors(user, namespace).rules;
  }

  /** The same, and which roles are bound that are not there. */
  rulesAndErrors(user: User, namespace: string): { rules: PolicyRule[]; errors: readonly string[] } {
    const { grants, errors } = this.#resolve(user, namespace);
    return { rules: [...grants].flatMap((grant) => grant.rules), errors };
  }

  /** The rules of a role, or undefined when there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): PolicyRule[] | undefined {
    const inNamespace = roleRef.kind === "ClusterRole" ? "" : namespace;
    const key = `${inNamespace}/${roleRef.name}`;
    const known = this.#rules.get(key);
    if (known) return known;
    const resource = roleRef.kind === "ClusterRole" ? CLUSTER_ROLES : ROLES;
    const stored = this.#store.get({ resource, namespace: inNamespace, name: roleRef.name });
    if (!stored) return undefined;
    const { rules } = JSON.parse(stored.json) as { rules?: PolicyRule[] | null };
    this.#rules.set(key, rules ?? []);
    return rules ?? [];
  }

  #resolve(user: User, namespace: string): Resolution {
    const errors: string[] = [];
    const grants = this.#grants(user, namespace, errors);
    return { grants, errors };
  }

  *#grants(user: User, namespace: string, errors: string[]): Iterable<Grant> {
    for (const scope of namespace ? ["", namespace] : [""]) {
      const index = this.#index(scope);
      for (const subject of userKeys(user))
        for (const binding of index.get(subject) ?? []) {
          const rules = this.rulesOf(binding.roleRef, scope);
          if (rules) yield { binding, namespace: scope, rules, subject };
          else {
            const resource =
              binding.roleRef.kind === "ClusterRole"
                ? CLUSTER_ROLES.replace("roles", "role")
                : ROLES.replace("roles", "role");
            errors.push(`${resource} "${binding.roleRef.name}" not found`);
          }
        }
    }
  }

  #index(namespace: string): Index {
    const known = this.#indexes.get(namespace);
    if (known) return known;
    const index: Index = new Map();
    const page = this.#store.list({ resource: namespace ? ROLE_BINDINGS : CLUSTER_ROLE_BINDINGS, namespace });
    for (const { json } of page.items) {
      const object = JSON.parse(json) as { metadata: { name: string }; roleRef: RoleRef; subjects?: RbacSubject[] };
      const binding = { name: object.metadata.name, roleRef: object.roleRef, subjects: object.subjects ?? [] };
      for (const key of new Set(binding.subjects.map((subject) => subjectKey(subject, namespace)))) {
        const list = index.get(key);
        if (list) list.push(binding);
        else index.set(key, [binding]);
      }
    }
    this.#indexes.set(namespace, index);
    return index;
  }
}

function describeGrant({ binding, namespace, subject }: Grant): string {
  const role = `${binding.roleRef.kind} "${binding.roleRef.name}"`;
  const to = describeSubject(subject, binding, namespace);
  return namespace
    ? `RoleBinding "${binding.name}/${namespace}" of ${role} to ${to}`
    : `ClusterRoleBinding "${binding.name}" of ${role} to ${to}`;
}
