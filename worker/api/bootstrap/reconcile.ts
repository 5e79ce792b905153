/**
 * What a start makes of a first object that is there already, as kube-apiserver does.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#maintenance-of-the-mandatory-and-suggested-configuration-objects
 */
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { RbacSubject } from "../auth/rbac.ts";
import { type PolicyRule, uncovered } from "../auth/rules.ts";

export type Loose = KubeObject & {
  spec?: unknown;
  status?: unknown;
  rules?: PolicyRule[] | null;
  aggregationRule?: { clusterRoleSelectors?: unknown[] };
  roleRef?: unknown;
  subjects?: RbacSubject[];
};

/** What is to be written; `anew` where it has to be deleted first; undefined where all is well. */
export type Repair = { object: Loose; anew?: boolean };

const RBAC_AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate";
const FLOW_AUTOUPDATE = "apf.kubernetes.io/autoupdate-spec";
/** Flow control cannot be without these. */
const MANDATORY = new Set(["exempt", "catch-all"]);

const annotation = ({ metadata }: Loose, name: string): string | undefined => metadata?.annotations?.[name];

/** The object with the labels and annotations that it lacks; its own win. */
const marked = (current: Loose, wanted: Loose): Loose => ({
  ...current,
  metadata: {
    ...current.metadata,
    labels: { ...wanted.metadata?.labels, ...current.metadata?.labels },
    annotations: { ...wanted.metadata?.annotations, ...current.metadata?.annotations },
  },
});

/** Permissions are added, never taken away. */
function roleRepair(current: Loose, wanted: Loose): Loose {
  const object = marked(current, wanted);
  const selectors = wanted.aggregationRule?.clusterRoleSelectors;
  if (selectors) {
    const known = current.aggregationRule?.clusterRoleSelectors ?? [];
    const missing = selectors.filter((selector) => !known.some((other) => same(selector, other)));
    return missing.length ? { ...object, aggregationRule: { clusterRoleSelectors: [...known, ...missing] } } : object;
  }
  const missing = uncovered(current.rules ?? [], wanted.rules ?? []);
  return missing.length ? { ...object, rules: [...(current.rules ?? []), ...missing] } : object;
}

const sameSubject = (a: RbacSubject, b: RbacSubject) =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? "") === (b.namespace ?? "");

function bindingRepair(current: Loose, wanted: Loose): Loose {
  const object = marked(current, wanted);
  const known = current.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((subject) => !known.some((other) => sameSubject(other, subject)));
  return missing.length ? { ...object, subjects: [...known, ...missing] } : object;
}

const rbac =
  (repair: (current: Loose, wanted: Loose) => Loose) =>
  (current: Loose, wanted: Loose): Repair | undefined => {
    if (annotation(current, RBAC_AUTOUPDATE) === "false") return undefined;
    // What a binding is to cannot be changed.
    if (wanted.roleRef && !same(current.roleRef, wanted.roleRef)) return { object: wanted, anew: true };
    return { object: repair(current, wanted) };
  };

/** Mandatory ones are kept as they are to be, suggested ones unless somebody has taken them over. */
function flow(current: Loose, wanted: Loose): Repair {
  const said = annotation(current, FLOW_AUTOUPDATE);
  const isOurs = said === "true" || said === "false" ? said === "true" : current.metadata?.generation === 1;
  const updates = MANDATORY.has(wanted.metadata?.name ?? "") || isOurs;
  const annotations = { ...current.metadata?.annotations, [FLOW_AUTOUPDATE]: String(updates) };
  return {
    object: { ...current, metadata: { ...current.metadata, annotations }, ...(updates && { spec: wanted.spec }) },
  };
}

const repairs: Readonly<Record<string, (current: Loose, wanted: Loose) => Repair | undefined>> = {
  ClusterRole: rbac(roleRepair),
  Role: rbac(roleRepair),
  ClusterRoleBinding: rbac(bindingRepair),
  RoleBinding: rbac(bindingRepair),
  FlowSchema: flow,
  PriorityLevelConfiguration: flow,
};

/** Namespaces, priority classes and the rest are only made where they are missing. */
export const repair = (current: Loose, wanted: Loose): Repair | undefined =>
  repairs[wanted.kind ?? ""]?.(current, wanted);
