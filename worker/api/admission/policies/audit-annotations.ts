/**
 * What policies tell the audit log: that an expression did not hold, and values of their own.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#audit-annotations
 */
import { policyExpression } from "../../../kinds/admissionregistration/expressions.ts";
import type { ValidatingAdmissionPolicyBinding as Binding } from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import { type Budget, CelError } from "../../../lib/cel/program.ts";
import type { Operation } from "../../engine/operation.ts";
import { annotate } from "../admission.ts";
import type { Policy } from "./stored.ts";
import type { Variables } from "./variables.ts";

const FAILURE = "validation.policy.admission.k8s.io/validation_failure";

export function noteFailure(operation: Operation, { spec, metadata }: Binding, message: string, index: number): void {
  const { policyName, validationActions } = spec ?? {};
  const failure = { message, policy: policyName, binding: metadata.name, expressionIndex: index, validationActions };
  annotate(operation, FAILURE, JSON.stringify([failure]));
}

/** Values by key, each once; several come from several bindings and parameters. */
export type Collected = Map<string, Set<string>>;

/** Adds the policy's values; yields the messages of those that are none. */
export function* collect(
  { spec }: Policy["policy"],
  seen: Variables,
  budget: Budget,
  collected: Collected,
): Iterable<string> {
  for (const { key, valueExpression } of spec?.auditAnnotations ?? []) {
    const failed = `valueExpression '${valueExpression}' resulted in`;
    try {
      const value = policyExpression(valueExpression).evaluate(seen, budget);
      if (typeof value === "string" && value.trim()) add(collected, key, value.trim());
      else if (typeof value !== "string" && value !== null)
        yield `${failed} unsupported return type: ${typeof value}. Return type must be either string or null.`;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      if (spec?.failurePolicy !== "Ignore") yield `${failed} error: ${error.message}`;
    }
  }
}

const add = (collected: Collected, key: string, value: string) =>
  collected.set(key, (collected.get(key) ?? new Set()).add(value));

export function publish(operation: Operation, policy: string, collected: Collected): void {
  for (const [key, values] of collected) annotate(operation, `${policy}/${key}`, [...values].join(", "));
}
