import { invalidValue, required } from "../../lib/status.ts";
import type { CoreV1ResourceQuota } from "../generated/types.ts";
import { entries, type Problems } from "./fields.ts";
import { isStandardResource, validateQuantity, validateResourceName } from "./resources.ts";

const SCOPES = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass",
];

export function* validateResourceQuota({ spec, status }: CoreV1ResourceQuota): Problems {
  for (const [field, list] of [
    ["spec.hard", spec?.hard],
    ["status.hard", status?.hard],
    ["status.used", status?.used],
  ] as const)
    for (const [name, amount] of entries(list)) {
      yield* validateResourceName(name, `${field}[${name}]`);
      if (!name.includes("/") && !isStandardResource(name))
        yield invalidValue(`${field}[${name}]`, name, "must be a standard resource for quota");
      yield* validateQuantity(isCount(name) ? "pods" : name, amount, `${field}[${name}]`);
    }
  yield* scopeProblems(spec?.scopes ?? [], Object.keys(spec?.hard ?? {}));
  for (const { scopeName, operator, values } of spec?.scopeSelector?.matchExpressions ?? []) {
    const at = "spec.scopeSelector.matchExpressions";
    if (!SCOPES.includes(scopeName)) yield invalidValue(`${at}.scopeName`, scopeName, "unsupported scope");
    else if (scopeName !== "PriorityClass" && scopeName !== "VolumeAttributesClass" && operator !== "Exists")
      yield invalidValue(
        `${at}.operator`,
        operator ?? "",
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      );
    if (operator === "In" || operator === "NotIn") {
      if (!values?.length)
        yield required(
          `${at}.values`,
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        );
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values?.length)
        yield invalidValue(
          `${at}.values`,
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        );
    } else yield invalidValue(`${at}.operator`, operator ?? "", "not a valid selector operator");
  }
}

const POD_NAMES = ["cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"];
const CONFLICTING = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];

/** Scopes are about pods, and what has no requests has none to limit. */
function* scopeProblems(scopes: readonly string[], names: readonly string[]): Problems {
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) yield invalidValue("spec.scopes", scopes, "unsupported scope");
    if (!SCOPES.includes(scope)) continue;
    const fits = scope === "BestEffort" ? ["pods"] : POD_NAMES;
    for (const name of names.toSorted())
      if (isStandardResource(name) && !fits.includes(name))
        yield invalidValue("spec.scopes", scopes, "unsupported scope applied to resource");
  }
  for (const pair of CONFLICTING)
    if (pair.every((scope) => scopes.includes(scope))) yield invalidValue("spec.scopes", scopes, "conflicting scopes");
}

/** `count/deployments.apps`: how many objects there may be. */
const isCount = (name: string) => name.startsWith("count/");
