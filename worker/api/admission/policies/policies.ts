import { policyCondition, policyExpression } from "../../../kinds/admissionregistration/expressions.ts";
import type { ValidatingAdmissionPolicyBinding as Binding } from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import type { AdmissionregistrationV1MatchResources as MatchResources } from "../../../kinds/generated/types.ts";
import type { Kind } from "../../../kinds/kind.ts";
import { type Budget, CelError, MAX_STEPS } from "../../../lib/cel/program.ts";
import { celValue } from "../../../lib/cel/values.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { matchesSelector } from "../../../lib/selectors.ts";
import { ApiError } from "../../../lib/status.ts";
import type { Operation } from "../../engine/operation.ts";
import { subjectOf } from "../../engine/stored.ts";
import { type Admission, refusal } from "../admission.ts";
import { kindFor, matchesRule } from "../webhooks/matching.ts";
import { type Collected, collect, noteFailure, publish } from "./audit-annotations.ts";
import { conditionsHold } from "./conditions.ts";
import type { Policy } from "./stored.ts";
import { admissionVariables, type Variables } from "./variables.ts";

/**
 * Holds writes to the expressions of ValidatingAdmissionPolicies.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export const validatingPolicies: Admission = {
  name: "ValidatingAdmissionPolicy",
  admits(operation) {
    for (const policy of operation.core.policies?.() ?? []) {
      const kind = matched(policy.policy.spec?.matchConstraints, operation);
      if (kind) hold(policy, kind, operation);
    }
  },
};

function matched(constraints: MatchResources | undefined, operation: Operation): Kind | undefined {
  const { resourceRules, excludeResourceRules = [], ...others } = constraints ?? {};
  const named = ({ resourceNames }: { resourceNames?: readonly string[] }) =>
    !resourceNames?.length || resourceNames.includes(operation.name);
  if (excludeResourceRules.some((rule) => named(rule) && matchesRule(rule, operation.kind, operation)))
    return undefined;
  const rules = resourceRules?.filter(named) ?? [
    { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] },
  ];
  return kindFor({ ...others, rules } as Parameters<typeof kindFor>[0], operation);
}

/** `at`: which of the policy's validations; absent of what is refused whatever the binding's actions. */
type Denial = { message: string; reason?: string; at?: number };

function hold({ policy, bindings }: Policy, kind: Kind, operation: Operation): void {
  const name = policy.metadata.name ?? "";
  const collected: Collected = new Map();
  for (const binding of bindings) {
    if (!matched({ ...binding.spec?.matchResources }, operation)) continue;
    for (const denial of denials({ policy, bindings }, binding, kind, operation, collected)) {
      const bound = `'${name}' with binding '${binding.metadata.name}'`;
      const actions = binding.spec?.validationActions ?? [];
      if (denial.at !== undefined && actions.includes("Audit"))
        noteFailure(operation, binding, denial.message, denial.at);
      if (denial.at !== undefined && actions.includes("Warn"))
        operation.warnings.push(`Validation failed for ValidatingAdmissionPolicy ${bound}: ${denial.message}`);
      if (denial.at === undefined || actions.includes("Deny"))
        throw denied(operation, `ValidatingAdmissionPolicy ${bound} denied request: ${denial.message}`, denial.reason);
    }
  }
  publish(operation, name, collected);
}

function* denials(
  { policy }: Policy,
  binding: Binding,
  kind: Kind,
  operation: Operation,
  collected: Collected,
): Iterable<Denial> {
  const { failurePolicy = "Fail", matchConditions = [], validations = [] } = policy.spec ?? {};
  const params = paramsOf(policy, binding, operation);
  if (params === "missing") {
    const why = "no params found for policy binding with `Deny` parameterNotFoundAction";
    if (failurePolicy === "Fail") yield { message: `failed to configure binding: ${why}`, at: 0 };
    return;
  }
  const conditions = matchConditions.map(({ expression }) => policyCondition(expression));
  for (const param of params) {
    const budget = { steps: MAX_STEPS };
    const seen: Variables = { ...admissionVariables(operation, kind), params: param ? celValue(param) : null };
    const conditioned = { name: policy.metadata.name ?? "", failurePolicy };
    if (!conditionsHold(conditions, seen, conditioned, operation)) continue;
    seen.variables = lazily(policy, seen, budget);
    for (const [at, validation] of validations.entries()) {
      const denial = judge(validation, seen, budget, failurePolicy);
      if (denial) yield { ...denial, at };
    }
    for (const message of collect(policy, seen, budget, collected)) yield { message };
  }
}

type Validation = NonNullable<NonNullable<Policy["policy"]["spec"]>["validations"]>[number];

function judge(validation: Validation, seen: Variables, budget: Budget, failurePolicy: string): Denial | undefined {
  const { expression, reason } = validation;
  try {
    if (policyExpression(expression).evaluate(seen, budget) === true) return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (failurePolicy === "Ignore") return undefined;
    return { message: `expression '${expression}' resulted in error: ${error.message}` };
  }
  return { message: messageOf(validation, seen, budget), ...(reason && { reason }) };
}

function messageOf({ expression, message, messageExpression }: Validation, seen: Variables, budget: Budget): string {
  const otherwise = message?.trim() || `failed expression: ${expression.trim()}`;
  if (!messageExpression) return otherwise;
  try {
    const text = policyExpression(messageExpression).evaluate(seen, budget);
    return typeof text === "string" && text.trim() && !text.includes("\n") ? text.trim() : otherwise;
  } catch (error) {
    if (error instanceof CelError) return otherwise;
    throw error;
  }
}

/** Each variable gets its value when it is first looked at, and may look at those before it. */
function lazily({ spec }: Policy["policy"], seen: Variables, budget: Budget): object {
  const values: Record<string, unknown> = {};
  for (const { name, expression } of spec?.variables ?? []) {
    let known: { value: unknown } | undefined;
    Object.defineProperty(values, name, {
      enumerable: true,
      get() {
        known ??= { value: policyExpression(expression).evaluate({ ...seen, variables: values }, budget) };
        return known.value;
      },
    });
  }
  return values;
}

/** The parameters that the binding names, each to be judged with; one without any where the policy takes none. */
function paramsOf(
  { spec }: Policy["policy"],
  binding: Binding,
  operation: Operation,
): (KubeObject | undefined)[] | "missing" {
  const paramKind = spec?.paramKind;
  const ref = binding.spec?.paramRef;
  if (!paramKind || !ref) return [undefined];
  const { view } = operation.core;
  const kind = view.kind(paramKind.apiVersion ?? "", paramKind.kind ?? "");
  const namespace = kind?.namespaced ? ref.namespace || operation.namespace : "";
  const found = !kind
    ? []
    : ref.name
      ? [view.get(kind, namespace, ref.name)].filter((object) => object !== undefined)
      : view
          .list(kind, kind.namespaced ? namespace : undefined)
          .filter(({ metadata }) => matchesSelector(ref.selector, metadata?.labels));
  if (found.length > 0) return [...found];
  return ref.parameterNotFoundAction === "Allow" ? [] : "missing";
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function denied(operation: Operation, message: string, reason = "Invalid"): ApiError {
  const said = refusal(operation, message);
  return new ApiError(CODES[reason] ?? 422, reason, said.message, {
    ...said.details,
    ...subjectDetails(operation),
    causes: [{ message }],
  });
}

const subjectDetails = ({ kind, name }: Operation) => {
  const { group, resource } = subjectOf(kind);
  return { ...(name && { name }), ...(group && { group }), kind: resource };
};
