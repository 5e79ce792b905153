import type { ValidatingAdmissionPolicyBinding as Binding } from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import type { AdmissionregistrationV1MatchResources as MatchResources } from "../../../kinds/generated/types.ts";
import type { Kind } from "../../../kinds/kind.ts";
import { byteLength } from "../../../lib/bytes.ts";
import { celValue } from "../../../lib/cel/values.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { ApiError } from "../../../lib/status.ts";
import type { Operation } from "../../engine/operation.ts";
import { subjectOf } from "../../engine/stored.ts";
import { type Admission, refusal } from "../admission.ts";
import { kindFor, matchedVersion } from "../webhooks/matching.ts";
import { type Collected, collect, noteFailure, publish } from "./audit-annotations.ts";
import { compiledPolicy, type Validation } from "./compiled-policy.ts";
import { conditionsHold } from "./conditions.ts";
import {
  type Compiled,
  evaluate,
  lazily,
  MAX_POLICY_COST,
  type Outcome,
  OutOfBudget,
  type Spending,
} from "./evaluation.ts";
import { ConfigurationError, paramKindOf, paramsOf } from "./params.ts";
import type { Policy } from "./stored.ts";
import { admissionVariables, namespaceVariable, type Variables } from "./variables.ts";

/**
 * Holds writes to the expressions of ValidatingAdmissionPolicies. All are asked, for their warnings; the first refusal
 * is the one that is told.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export const validatingPolicies: Admission = {
  name: "ValidatingAdmissionPolicy",
  admits(operation) {
    const policies = operation.core.policies?.() ?? [];
    if (policies.length === 0) return;
    const refusals: ApiError[] = [];
    for (const policy of policies) {
      const kind = matched(policy.policy.spec?.matchConstraints, operation);
      if (kind) refusals.push(...hold(policy, kind, operation));
    }
    const [first] = refusals;
    if (first) throw first;
  },
};

/** The version of the object that constraints are for, where they are for this write. */
export function matched(constraints: MatchResources | undefined, operation: Operation): Kind | undefined {
  const { resourceRules = [], excludeResourceRules = [], ...others } = constraints ?? {};
  const named = ({ resourceNames }: { resourceNames?: readonly string[] }) =>
    !resourceNames?.length || resourceNames.includes(operation.name);
  const { matchPolicy } = others;
  const excluded = { ...(matchPolicy && { matchPolicy }), rules: excludeResourceRules.filter(named) };
  if (excluded.rules.length && matchedVersion(excluded as Parameters<typeof matchedVersion>[0], operation))
    return undefined;
  const rules = resourceRules.length
    ? resourceRules.filter(named)
    : [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }];
  return kindFor({ ...others, rules } as Parameters<typeof kindFor>[0], operation);
}

/** `at`: which of the policy's validations; absent of what is refused whatever the binding's actions. */
type Denial = { message: string; reason?: string; at?: number };

function* hold({ policy, bindings }: Policy, kind: Kind, operation: Operation): Iterable<ApiError> {
  const { failurePolicy = "Fail", paramKind } = policy.spec ?? {};
  const by = `ValidatingAdmissionPolicy '${policy.metadata.name}'`;
  const misconfigured = (bound: string, what: string, error: unknown): ApiError[] => {
    if (!(error instanceof ConfigurationError)) throw error;
    if (failurePolicy === "Ignore") return [];
    return [denied(operation, `${bound} denied request: failed to configure ${what}: ${error.message}`)];
  };
  let ofParams: Kind | undefined;
  try {
    ofParams = paramKindOf(paramKind, operation);
  } catch (error) {
    yield* misconfigured(by, "policy", error);
    return;
  }
  const collected: Collected = new Map();
  for (const binding of bindings) {
    const { matchResources, paramRef } = binding.spec ?? {};
    if (matchResources && !matched(matchResources, operation)) continue;
    const bound = `${by} with binding '${binding.metadata.name}'`;
    try {
      for (const param of paramsOf(ofParams, paramRef, operation))
        for (const denial of denials(policy, kind, operation, param, collected))
          yield* acted(denial, binding, bound, operation);
    } catch (error) {
      yield* misconfigured(bound, "binding", error);
    }
  }
  publish(operation, policy.metadata.name ?? "", collected);
}

/** What a binding makes of a denial: a note, a warning, a refusal. */
function* acted(
  { message, reason, at }: Denial,
  binding: Binding,
  bound: string,
  operation: Operation,
): Iterable<ApiError> {
  const refused = () => denied(operation, `${bound} denied request: ${message}`, reason);
  if (at === undefined) {
    yield refused();
    return;
  }
  for (const action of binding.spec?.validationActions ?? []) {
    if (action === "Audit") noteFailure(operation, binding, message, at);
    if (action === "Warn") operation.warnings.push(`Validation failed for ${bound}: ${message}`);
    if (action === "Deny") yield refused();
  }
}

function denials(
  policy: Policy["policy"],
  kind: Kind,
  operation: Operation,
  param: KubeObject | undefined,
  collected: Collected,
): Denial[] {
  const { failurePolicy = "Fail" } = policy.spec ?? {};
  const failed = (message: string, at = 0): Denial[] => (failurePolicy === "Ignore" ? [] : [{ message, at }]);
  const { conditions, variables, validations, annotations } = compiledPolicy(policy);
  const seen: Variables = { ...admissionVariables(operation, kind), params: param ? celValue(param) : null };
  const { holds, error } = conditionsHold(conditions, seen, failurePolicy);
  if (error !== undefined) return failed(error);
  if (!holds) return [];
  seen.namespaceObject = namespaceVariable(operation);
  try {
    const spending = { left: MAX_POLICY_COST };
    const all = { ...seen, variables: lazily(variables, seen, spending) };
    const outcomes = validations.map(({ rule }) => evaluate(rule, all, spending));
    const denied = validations.flatMap(({ written, message }, at): Denial[] => {
      const outcome = outcomes[at] as Outcome;
      if (outcome.error !== undefined) return failed(outcome.error, at);
      if (outcome.value === true) return [];
      const { reason } = written;
      return [{ message: messageOf(written, message, all, spending), at, ...(reason && { reason }) }];
    });
    const missing = [...collect(annotations, all, { left: MAX_POLICY_COST }, collected)];
    return [...denied, ...(failurePolicy === "Ignore" ? [] : missing.map((message) => ({ message })))];
  } catch (thrown) {
    if (!(thrown instanceof OutOfBudget)) throw thrown;
    return failed(thrown.message);
  }
}

const MAX_MESSAGE_BYTES = 5 * 1024;

function messageOf(
  { expression, message }: Validation,
  said: Compiled | undefined,
  seen: Variables,
  spending: Spending,
): string {
  const otherwise = message?.trim() || `failed expression: ${expression.trim()}`;
  if (!said) return otherwise;
  const { value } = evaluate(said, seen, spending);
  const text = typeof value === "string" ? value.trim() : "";
  const isLong = byteLength(text) > MAX_MESSAGE_BYTES;
  return text === "" || isLong || text.includes("\n") ? otherwise : text;
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
