import type { Mutation } from "../../../kinds/admissionregistration/mutating-admission-policy.ts";
import type { Kind } from "../../../kinds/kind.ts";
import { same } from "../../../kinds/paths.ts";
import { celValue } from "../../../lib/cel/values.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { ApiError } from "../../../lib/status.ts";
import type { Operation } from "../../engine/operation.ts";
import { subjectOf } from "../../engine/stored.ts";
import { refusal } from "../admission.ts";
import type { Reinvocation } from "../reinvocation.ts";
import { replaceObject } from "../webhooks/change.ts";
import { seenAs } from "../webhooks/review.ts";
import { type CompiledMutatingPolicy, compiledMutatingPolicy } from "./compiled-policy.ts";
import { conditionsHold } from "./conditions.ts";
import { type Compiled, evaluate, lazily, MAX_POLICY_COST, OutOfBudget } from "./evaluation.ts";
import { applied, MutationError, patched } from "./mutation.ts";
import { ConfigurationError, paramKindOf, paramsOf } from "./params.ts";
import { matched } from "./policies.ts";
import type { MutatingPolicy } from "./stored.ts";
import { admissionVariables, namespaceVariable, type Variables } from "./variables.ts";

/** A policy with one of its bindings and one of that one's parameters. */
type Invocation = {
  policy: MutatingPolicy["policy"];
  bound: string;
  kind: Kind;
  param: KubeObject | undefined;
  /** Tells it from the others. */
  key: string;
};

type Problem = { message: string; reason: string };
type Report = (policy: MutatingPolicy["policy"], by: string, why: string, reason: string) => void;

/**
 * Changes what is written as MutatingAdmissionPolicies say, one after another; whether that changed it. All problems
 * are told, under the words of the first.
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export function mutateByPolicies(operation: Operation, reinvocation: Reinvocation): boolean {
  const problems: Problem[] = [];
  const report: Report = ({ spec }, by, why, reason) => {
    if (spec?.failurePolicy !== "Ignore") problems.push({ message: `${by} denied request: ${why}`, reason });
  };
  const policies = operation.core.mutatingPolicies?.() ?? [];
  const invocations = policies.flatMap((policy) => [...invocationsOf(policy, operation, report)]);
  let changed = false;
  for (const { policy, bound, ...invocation } of invocations) {
    const before = structuredClone(operation.object);
    const did = invoke({ policy, bound, ...invocation }, operation, reinvocation, (why) =>
      report(policy, bound, why, "Invalid"),
    );
    if (!did.asked) continue;
    changed ||= did.mutated;
    if (!same(before, operation.object)) reinvocation.noteChange();
    if (policy.spec?.reinvocationPolicy === "IfNeeded") reinvocation.noteInvoked(invocation.key);
  }
  if (changed) reinvocation.noteChange();
  const [first] = problems;
  if (first) throw denied(operation, problems, first);
  return changed;
}

function* invocationsOf(
  { policy, bindings }: MutatingPolicy,
  operation: Operation,
  report: Report,
): Iterable<Invocation> {
  const { name = "" } = policy.metadata;
  const { matchConstraints, paramKind } = policy.spec ?? {};
  const kind = matched(matchConstraints, operation);
  if (!kind) return;
  const orReport = <T>(by: string, what: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      report(policy, by, `failed to configure ${what}: ${error.message}`, "Forbidden");
      return undefined;
    }
  };
  const found = orReport(`policy ${JSON.stringify(name)}`, "policy", () => ({
    kind: paramKindOf(paramKind, operation),
  }));
  if (!found) return;
  for (const { metadata, spec } of bindings) {
    if (spec?.matchResources && !matched(spec.matchResources, operation)) continue;
    const bound = `policy '${name}' with binding '${metadata.name}'`;
    for (const param of orReport(bound, "binding", () => paramsOf(found.kind, spec?.paramRef, operation)) ?? []) {
      const { namespace = "", name: named = "" } = param?.metadata ?? {};
      yield { policy, bound, kind, param, key: JSON.stringify([name, metadata.name, namespace, named]) };
    }
  }
}

/** Whether it was its turn, and whether it made a mutation, be it one that changes nothing. */
function invoke(
  { policy, kind, param, key }: Invocation,
  operation: Operation,
  reinvocation: Reinvocation,
  report: (why: string) => void,
): { asked: boolean; mutated: boolean } {
  const { spec = {} } = policy;
  const compiled = compiledMutatingPolicy(policy);
  const seen = () => ({ ...admissionVariables(operation, kind), params: param ? celValue(param) : null });
  const { holds, error } = conditionsHold(compiled.conditions, seen(), spec.failurePolicy);
  if (error !== undefined) report(error);
  if (!holds || !reinvocation.isTurnOf(key)) return { asked: false, mutated: false };
  // What is deleted, or a connection, has no object to change.
  if (operation.action === "DELETE" || operation.action === "CONNECT") return { asked: true, mutated: false };
  let mutatedAny = false;
  for (const [index, mutation] of (spec.mutations ?? []).entries()) {
    const expression = compiled.mutations[index];
    if (!expression) continue;
    try {
      const variables = { ...seen(), namespaceObject: namespaceVariable(operation) };
      const made = mutated(mutation, expression, compiled, variables, kind, operation);
      replaceObject(operation, kind, made, mutation.patchType === "JSONPatch" ? "Strict" : "Ignore");
      mutatedAny = true;
    } catch (thrown) {
      if (!(thrown instanceof MutationError || thrown instanceof OutOfBudget)) throw thrown;
      report(thrown.message);
    }
  }
  return { asked: true, mutated: mutatedAny };
}

/** Throws MutationError and OutOfBudget. */
function mutated(
  { patchType }: Mutation,
  expression: Compiled,
  { variables }: CompiledMutatingPolicy,
  seen: Variables,
  kind: Kind,
  operation: Operation,
): KubeObject {
  const spending = { left: MAX_POLICY_COST };
  const { value, error } = evaluate(expression, { ...seen, variables: lazily(variables, seen, spending) }, spending);
  if (error !== undefined) throw new MutationError(error);
  const object = seenAs(kind, operation.object);
  return patchType === "JSONPatch" ? patched(object, value) : applied(kind, object, value);
}

function denied(operation: Operation, problems: readonly Problem[], { message, reason }: Problem): ApiError {
  const { details } = refusal(operation, "");
  const { group, resource } = subjectOf(operation.kind);
  return new ApiError(403, reason, message, {
    ...details,
    ...(group && { group }),
    kind: resource,
    causes: problems.map((problem) => ({ message: problem.message })),
  });
}
