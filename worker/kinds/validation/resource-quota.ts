import { qualifiedNameProblems } from "../../lib/names.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1ResourceQuota } from "../generated/types.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";
import { isStandardResource, validateQuantity } from "./resources.ts";

const SCOPES = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
];
const OPERATORS = ["DoesNotExist", "Exists", "In", "NotIn"];

export function* validateResourceQuota({ spec, status }: CoreV1ResourceQuota): Problems {
  for (const [field, list] of [
    ["spec.hard", spec?.hard],
    ["status.hard", status?.hard],
    ["status.used", status?.used],
  ] as const)
    for (const [name, amount] of entries(list)) {
      const problems = qualifiedNameProblems(name);
      yield* invalidFor(`${field}[${name}]`, name, problems);
      if (!problems.length && !name.includes("/") && !isStandardResource(name))
        yield invalidValue(`${field}[${name}]`, name, "must be a standard resource for quota");
      yield* validateQuantity(isCount(name) ? "pods" : name, amount, `${field}[${name}]`);
    }
  for (const scope of spec?.scopes ?? [])
    if (!SCOPES.includes(scope)) yield invalidValue("spec.scopes", spec?.scopes, "unsupported scope");
  for (const [index, { scopeName, operator, values }] of (spec?.scopeSelector?.matchExpressions ?? []).entries()) {
    const at = `spec.scopeSelector.matchExpressions[${index}]`;
    if (!SCOPES.includes(scopeName)) yield invalidValue(`${at}.scopeName`, scopeName, "unsupported scope");
    if (!OPERATORS.includes(operator)) yield notSupported(`${at}.operator`, operator, OPERATORS);
    if ((operator === "In" || operator === "NotIn") && !values?.length)
      yield required(
        `${at}.values`,
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      );
  }
}

/** `count/deployments.apps`: how many objects there may be. */
const isCount = (name: string) => name.startsWith("count/");
