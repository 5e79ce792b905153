/** What webhooks and policies say of the writes they are for, and of their parameters. */
import type { Environment } from "../../lib/cel/environment.ts";
import { BOOL } from "../../lib/cel/types.ts";
import {
  dns1035LabelProblems,
  dnsSubdomainProblems,
  pathSegmentProblems,
  qualifiedNameProblems,
} from "../../lib/names.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from "../../lib/status.ts";
import type {
  AdmissionregistrationV1MatchCondition as MatchCondition,
  AdmissionregistrationV1MatchResources as MatchResources,
  AdmissionregistrationV1NamedRuleWithOperations as NamedRule,
  AdmissionregistrationV1ParamKind as ParamKind,
  AdmissionregistrationV1ParamRef as ParamRef,
} from "../generated/types.ts";
import { validateLabelSelector } from "../validation/label-selector.ts";
import { neededExpression } from "./expressions.ts";

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES = ["*", "Cluster", "Namespaced"];
const MATCH_POLICIES = ["Equivalent", "Exact"];
const MAX_CONDITIONS = 64;

type Rule = Omit<NamedRule, "resourceNames">;

const hasWildcard = (list: readonly string[]) => list.length > 1 && list.includes("*");

export function* ruleProblems(rule: Rule, path: string): Iterable<FieldError> {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  if (!operations.length) yield required(`${path}.operations`);
  if (hasWildcard(operations))
    yield invalidValue(`${path}.operations`, operations, "if '*' is present, must not specify other operations");
  for (const [index, operation] of operations.entries())
    if (!OPERATIONS.includes(operation)) yield notSupported(`${path}.operations[${index}]`, operation, OPERATIONS);
  if (!apiGroups.length) yield required(`${path}.apiGroups`);
  if (hasWildcard(apiGroups))
    yield invalidValue(`${path}.apiGroups`, apiGroups, "if '*' is present, must not specify other API groups");
  if (!apiVersions.length) yield required(`${path}.apiVersions`);
  if (hasWildcard(apiVersions))
    yield invalidValue(`${path}.apiVersions`, apiVersions, "if '*' is present, must not specify other API versions");
  for (const [index, version] of apiVersions.entries())
    if (version === "") yield required(`${path}.apiVersions[${index}]`);
  yield* resourceProblems(resources, `${path}.resources`);
  if (scope !== undefined && !SCOPES.includes(scope)) yield notSupported(`${path}.scope`, scope, SCOPES);
}

function* resourceProblems(resources: readonly string[], path: string): Iterable<FieldError> {
  if (!resources.length) yield required(path);
  const wholes = new Set<string>();
  const subresources = new Set<string>();
  for (const [index, resource] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (resource === "") {
      yield required(at);
      continue;
    }
    const slash = resource.indexOf("/");
    if (slash < 0) continue;
    const [main, sub] = [resource.slice(0, slash), resource.slice(slash + 1)];
    if (wholes.has(main)) yield invalidValue(at, resource, `if '${main}/*' is present, must not specify ${resource}`);
    if (subresources.has(sub))
      yield invalidValue(at, resource, `if '*/${sub}' is present, must not specify ${resource}`);
    if (sub === "*") wholes.add(main);
    if (main === "*") subresources.add(sub);
  }
  if (resources.length > 1 && resources.includes("*/*"))
    yield invalidValue(path, resources, "if '*/*' is present, must not specify other resources");
  const plain = resources.filter((resource) => resource !== "" && !resource.includes("/")).at(-1);
  if (resources.includes("*") && plain !== undefined && plain !== "*")
    yield invalidValue(path, resources, "if '*' is present, must not specify other resources without subresources");
}

function* namedRuleProblems(rule: NamedRule, path: string): Iterable<FieldError> {
  const names = new Set<string>();
  for (const [index, name] of (rule.resourceNames ?? []).entries()) {
    const at = `${path}.resourceNames[${index}]`;
    for (const why of pathSegmentProblems(name)) yield invalidValue(at, name, why);
    if (names.has(name)) yield duplicate(at, name);
    names.add(name);
  }
  yield* ruleProblems(rule, path);
}

export function* matchResourcesProblems(match: MatchResources | undefined, path: string): Iterable<FieldError> {
  if (!match) return;
  const { matchPolicy, namespaceSelector, objectSelector, resourceRules = [], excludeResourceRules = [] } = match;
  if (matchPolicy === undefined) yield required(`${path}.matchPolicy`);
  else if (!MATCH_POLICIES.includes(matchPolicy))
    yield notSupported(`${path}.matchPolicy`, matchPolicy, MATCH_POLICIES);
  yield* validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`);
  yield* validateLabelSelector(objectSelector, `${path}.objectSelector`);
  for (const [index, rule] of resourceRules.entries())
    yield* namedRuleProblems(rule, `${path}.resourceRules[${index}]`);
  for (const [index, rule] of excludeResourceRules.entries())
    yield* namedRuleProblems(rule, `${path}.excludeResourceRules[${index}]`);
}

export function* conditionProblems(
  conditions: readonly MatchCondition[],
  path: string,
  environment: () => Environment,
): Iterable<FieldError> {
  if (conditions.length > MAX_CONDITIONS) yield tooMany(path, conditions.length, MAX_CONDITIONS);
  const names = new Set<string>();
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${path}[${index}]`;
    yield* neededExpression(environment(), expression?.trim(), `${at}.expression`, [BOOL]);
    if (!name) {
      yield required(`${at}.name`);
      continue;
    }
    for (const why of qualifiedNameProblems(name)) yield invalidValue(`${at}.name`, name, why);
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
  }
}

export function* paramKindProblems({ apiVersion = "", kind = "" }: ParamKind, path: string): Iterable<FieldError> {
  const parts = apiVersion.split("/");
  if (!apiVersion) yield required(`${path}.apiVersion`);
  else if (parts.length > 2)
    yield invalidValue(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else {
    const [group, version] = parts.length === 2 ? parts : ["", apiVersion];
    const wrongGroup = group ? dnsSubdomainProblems(group) : [];
    if (wrongGroup.length) yield invalidValue(`${path}.apiVersion`, group, wrongGroup.join(","));
    if (!version) yield invalidValue(`${path}.apiVersion`, apiVersion, "version must be specified");
    const wrongVersion = version ? dns1035LabelProblems(version) : [];
    if (wrongVersion.length) yield invalidValue(`${path}.apiVersion`, version, wrongVersion.join(","));
  }
  const wrong = kind ? dns1035LabelProblems(kind.toLowerCase()) : [];
  if (!kind) yield required(`${path}.kind`);
  else if (wrong.length)
    yield invalidValue(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${wrong.join(",")}`);
}

const ACTIONS = ["Deny", "Allow"];

export function* paramRefProblems(ref: ParamRef | undefined, path: string): Iterable<FieldError> {
  if (!ref) return;
  const { name = "", selector, parameterNotFoundAction: action } = ref;
  const exclusive = "name and selector are mutually exclusive";
  if (name) for (const why of pathSegmentProblems(name)) yield invalidValue(`${path}.name`, name, why);
  if (name && selector) yield forbiddenField(`${path}.name`, exclusive);
  if (selector) yield* validateLabelSelector(selector, `${path}.selector`);
  if (name && selector) yield forbiddenField(`${path}.selector`, exclusive);
  if (!name && !selector) yield required(path, "one of name or selector must be specified");
  if (!action) yield required(`${path}.parameterNotFoundAction`);
  else if (!ACTIONS.includes(action)) yield notSupported(`${path}.parameterNotFoundAction`, action, ACTIONS);
}

/** Defaults of a field that says which writes are meant. */
export const matchDefaults = (path: string): Readonly<Record<string, unknown>> => ({
  [`${path}.matchPolicy`]: "Equivalent",
  [`${path}.namespaceSelector`]: {},
  [`${path}.objectSelector`]: {},
  [`${path}.resourceRules[].scope`]: "*",
  [`${path}.excludeResourceRules[].scope`]: "*",
});
