import { dnsSubdomainProblems, pathSegmentProblems } from "../../lib/names.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  RbacV1ClusterRole,
  RbacV1ClusterRoleBinding,
  RbacV1PolicyRule,
  RbacV1Role,
  RbacV1RoleBinding,
  RbacV1Subject,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { validateLabelSelector } from "./label-selector.ts";

const GROUP = "rbac.authorization.k8s.io";
type Binding = RbacV1RoleBinding | RbacV1ClusterRoleBinding;

export function defaultBinding(binding: Binding): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= GROUP;
  for (const subject of binding.subjects ?? [])
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= GROUP;
}

export function* validateRole({ rules }: RbacV1Role): Problems {
  for (const [index, rule] of (rules ?? []).entries()) yield* validateRule(rule, true, `rules[${index}]`);
}

export function* validateClusterRole({ rules, aggregationRule }: RbacV1ClusterRole): Problems {
  for (const [index, rule] of (rules ?? []).entries()) yield* validateRule(rule, false, `rules[${index}]`);
  if (!aggregationRule) return;
  const field = "aggregationRule.clusterRoleSelectors";
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (!selectors.length)
    yield required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (const [index, selector] of selectors.entries()) {
    const wrong = [...validateLabelSelector(selector, `${field}[${index}]`)];
    yield* wrong;
    if (wrong.length) yield invalidValue(`${field}[${index}]`, null, "invalid label selector.");
  }
}

function* validateRule(rule: RbacV1PolicyRule, namespaced: boolean, field: string): Problems {
  const { verbs, nonResourceURLs, apiGroups, resources, resourceNames } = rule;
  if (!verbs?.length) yield required(`${field}.verbs`, "verbs must contain at least one value");
  if (nonResourceURLs?.length) {
    if (namespaced)
      yield invalidValue(
        `${field}.nonResourceURLs`,
        nonResourceURLs,
        "namespaced rules cannot apply to non-resource URLs",
      );
    if (apiGroups?.length || resources?.length || resourceNames?.length)
      yield invalidValue(
        `${field}.nonResourceURLs`,
        nonResourceURLs,
        "rules cannot apply to both regular resources and non-resource URLs",
      );
    return;
  }
  if (!apiGroups?.length) yield required(`${field}.apiGroups`, "resource rules must supply at least one api group");
  if (!resources?.length) yield required(`${field}.resources`, "resource rules must supply at least one resource");
}

export const validateRoleBinding = (binding: RbacV1RoleBinding): Problems =>
  validateBinding(binding, ["Role", "ClusterRole"], true);
export const validateClusterRoleBinding = (binding: RbacV1ClusterRoleBinding): Problems =>
  validateBinding(binding, ["ClusterRole"], false);

function* validateBinding({ roleRef, subjects }: Binding, kinds: readonly string[], namespaced: boolean): Problems {
  if (roleRef?.apiGroup !== GROUP) yield notSupported("roleRef.apiGroup", roleRef?.apiGroup ?? "", [GROUP]);
  if (!kinds.includes(roleRef?.kind ?? "")) yield notSupported("roleRef.kind", roleRef?.kind ?? "", kinds);
  if (!roleRef?.name) yield required("roleRef.name");
  else yield* invalidFor("roleRef.name", roleRef.name, pathSegmentProblems(roleRef.name));
  for (const [index, subject] of (subjects ?? []).entries())
    yield* validateSubject(subject, namespaced, `subjects[${index}]`);
}

function* validateSubject(subject: RbacV1Subject, namespaced: boolean, field: string): Problems {
  const { kind = "", name, namespace, apiGroup = "" } = subject;
  if (!name) yield required(`${field}.name`);
  if (kind === "ServiceAccount") {
    if (name) yield* invalidFor(`${field}.name`, name, dnsSubdomainProblems(name));
    if (apiGroup) yield notSupported(`${field}.apiGroup`, apiGroup, [""]);
    if (!namespaced && !namespace) yield required(`${field}.namespace`);
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== GROUP) yield notSupported(`${field}.apiGroup`, apiGroup, [GROUP]);
  } else yield notSupported(`${field}.kind`, kind, ["ServiceAccount", "User", "Group"]);
}

/** Whom a binding binds may change, to what it binds may not. */
export function* validateBindingUpdate(binding: Binding, old: Binding): Problems {
  if (same(binding.roleRef, old.roleRef)) return;
  const { apiGroup = "", kind = "", name = "" } = binding.roleRef ?? {};
  yield invalidValue("roleRef", { APIGroup: apiGroup, Kind: kind, Name: name }, "cannot change roleRef");
}
