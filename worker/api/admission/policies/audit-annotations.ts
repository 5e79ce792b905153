/**
 * What policies tell the audit log: that an expression did not hold, and values of their own.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#audit-annotations
 */
import type { ValidatingAdmissionPolicyBinding as Binding } from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import type { Operation } from "../../engine/operation.ts";
import { annotate } from "../admission.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { evaluate, type Spending } from "./evaluation.ts";
import type { Variables } from "./variables.ts";

const FAILURE = "validation.policy.admission.k8s.io/validation_failure";

export function noteFailure(operation: Operation, { spec, metadata }: Binding, message: string, index: number): void {
  const { policyName, validationActions } = spec ?? {};
  const failure = { message, policy: policyName, binding: metadata.name, expressionIndex: index, validationActions };
  annotate(operation, FAILURE, JSON.stringify([failure]));
}

/** Values by key, each once; several come from several bindings and parameters. */
export type Collected = Map<string, Set<string>>;

/** Adds the policy's values; yields why there are none. Throws OutOfBudget. */
export function* collect(
  annotations: CompiledPolicy["annotations"],
  seen: Variables,
  spending: Spending,
  collected: Collected,
): Iterable<string> {
  for (const { key, value: compiled } of annotations) {
    const { value, error } = evaluate(compiled, seen, spending);
    if (error !== undefined) yield error;
    else if (typeof value === "string" && value.trim()) add(collected, key, value.trim());
  }
}

const add = (collected: Collected, key: string, value: string) =>
  collected.set(key, (collected.get(key) ?? new Set()).add(value));

export function publish(operation: Operation, policy: string, collected: Collected): void {
  for (const [key, values] of collected) annotate(operation, `${policy}/${key}`, [...values].join(", "));
}
