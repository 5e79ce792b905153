/**
 * RBAC's arithmetic over rules: what a rule allows, and whether some rules cover others.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import type { User } from "../request.ts";

export type PolicyRule = {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
};

export type ResourceAttributes = {
  type: "resource";
  verb: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  /** "" for the cluster scope and for all namespaces. */
  namespace: string;
  name: string;
  fieldSelector?: string;
};
export type PathAttributes = { type: "path"; verb: string; path: string };
/** What someone wants to do. */
export type Attributes = ResourceAttributes | PathAttributes;

export type Decision = { allowed: boolean; reason: string };

/** Decides about requests; one that has no opinion denies without a reason. */
export type Authorizer = (user: User, attributes: Attributes) => Decision;

const has = (list: readonly string[] | undefined, value: string) =>
  list !== undefined && (list.includes("*") || list.includes(value));

function resourceMatches(rule: PolicyRule, resource: string, subresource: string): boolean {
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return (rule.resources ?? []).some(
    (allowed) => allowed === "*" || allowed === combined || (subresource !== "" && allowed === `*/${subresource}`),
  );
}

const urlMatches = (allowed: string, path: string) =>
  allowed === "*" || allowed === path || (allowed.endsWith("*") && path.startsWith(allowed.slice(0, -1)));

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (attributes.type === "path") return (rule.nonResourceURLs ?? []).some((url) => urlMatches(url, attributes.path));
  return (
    has(rule.apiGroups, attributes.group) &&
    resourceMatches(rule, attributes.resource, attributes.subresource) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(attributes.name))
  );
}

/** Several errors as one text, as Go's aggregates print. */
export function aggregate(errors: readonly string[]): string {
  const different = [...new Set(errors)];
  return different.length === 1 ? (different[0] ?? "") : `[${different.join(", ")}]`;
}

/** A rule as rules of one verb, one group, one resource, one name each. */
function* breakDown(rule: PolicyRule): Iterable<PolicyRule> {
  for (const group of rule.apiGroups ?? [])
    for (const resource of rule.resources ?? [])
      for (const verb of rule.verbs) {
        const single = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (rule.resourceNames?.length)
          for (const name of rule.resourceNames) yield { ...single, resourceNames: [name] };
        else yield single;
      }
  for (const url of rule.nonResourceURLs ?? [])
    for (const verb of rule.verbs) yield { nonResourceURLs: [url], verbs: [verb] };
}

const hasAll = (list: readonly string[] | undefined, values: readonly string[] | undefined) =>
  list?.includes("*") || (values ?? []).every((value) => list?.includes(value));

const resourceCovered = (owned: readonly string[], wanted: string) =>
  owned.includes("*") ||
  owned.includes(wanted) ||
  (wanted.includes("/") && owned.includes(`*/${wanted.split("/")[1]}`));

function ruleCovers(owned: PolicyRule, wanted: PolicyRule): boolean {
  if (!hasAll(owned.verbs, wanted.verbs)) return false;
  if (wanted.nonResourceURLs)
    return wanted.nonResourceURLs.every((url) => (owned.nonResourceURLs ?? []).some((have) => urlMatches(have, url)));
  if (!hasAll(owned.apiGroups, wanted.apiGroups)) return false;
  if (!(wanted.resources ?? []).every((resource) => resourceCovered(owned.resources ?? [], resource))) return false;
  if (!owned.resourceNames?.length) return true;
  return (wanted.resourceNames?.length ?? 0) > 0 && hasAll(owned.resourceNames, wanted.resourceNames) === true;
}

/** The parts of `wanted` that no rule of `owned` covers. */
export function uncovered(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted
    .flatMap((rule) => [...breakDown(rule)])
    .filter((single) => !owned.some((rule) => ruleCovers(rule, single)));
}

/** Joins single rules for resources that differ in their verb only. */
export function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const joined = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.nonResourceURLs) {
      others.push(rule);
      continue;
    }
    const { verbs, ...rest } = rule;
    const key = JSON.stringify(rest);
    const known = joined.get(key);
    if (known) known.verbs.push(...verbs.filter((verb) => !known.verbs.includes(verb)));
    else joined.set(key, { ...rest, verbs: [...verbs] });
  }
  return [...others, ...joined.values()];
}

/** A list as Go prints one with %q. */
export const quoted = (list: readonly string[]) => `[${list.map((item) => JSON.stringify(item)).join(" ")}]`;

/** A rule as messages print it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, string[] | undefined][] = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ];
  return `{${parts.flatMap(([name, list]) => (list?.length ? [`${name}:${quoted(list)}`] : [])).join(", ")}}`;
}
