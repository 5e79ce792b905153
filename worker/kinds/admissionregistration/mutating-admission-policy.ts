import type { Environment } from "../../lib/cel/environment.ts";
import { listOf, structType, type Type } from "../../lib/cel/types.ts";
import { type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { admissionEnvironment, neededExpression, PATCH } from "./expressions.ts";
import { matchDefaults, matchResourcesProblems, paramRefProblems } from "./matching.ts";
import { paramKindText, paramRefText } from "./policy-columns.ts";
import { policyNameProblems, policyProblems, policyScope } from "./policy-problems.ts";

/**
 * Served where `admissionregistration.k8s.io/v1beta1` is asked for.
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export type MutatingAdmissionPolicy = Schemas["io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicy"];
export type MutatingAdmissionPolicyBinding =
  Schemas["io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBinding"];

type Spec = NonNullable<MutatingAdmissionPolicy["spec"]>;
export type Mutation = NonNullable<Spec["mutations"]>[number];

/** What the expressions of mutations give. */
export const MUTATION_RESULTS: Readonly<Record<string, readonly Type[]>> = {
  ApplyConfiguration: [structType("Object")],
  JSONPatch: [listOf(structType(PATCH))],
};

const PATCH_TYPES = Object.keys(MUTATION_RESULTS);
const REINVOCATION_POLICIES = ["IfNeeded", "Never"];
/** What is deleted cannot be changed. */
const OPERATIONS = ["*", "CONNECT", "CREATE", "UPDATE"];

export const MutatingAdmissionPolicy = defineKind({
  schema: "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicy",
  defaults: { "spec.failurePolicy": "Fail", ...matchDefaults("spec.matchConstraints") },
  *validate({ spec = {} }) {
    const { mutations = [] } = spec;
    const known = new Map<string, Type>();
    yield* policyProblems(spec, known, operationProblems);
    if (!mutations.length) yield required("spec.mutations", "mutations must contain at least one item");
    const environment = admissionEnvironment({ ...policyScope(spec), variables: known, patches: true });
    for (const [index, mutation] of mutations.entries())
      yield* mutationProblems(mutation, `spec.mutations[${index}]`, environment);
    yield* reinvocationProblems(spec.reinvocationPolicy, "spec.reinvocationPolicy");
  },
  columns: [
    nameColumn,
    { name: "Mutations", type: "integer", value: ({ spec }) => spec?.mutations?.length ?? 0 },
    { name: "ParamKind", type: "string", value: ({ spec }) => paramKindText(spec?.paramKind) },
    ageColumn,
  ],
});

function* operationProblems(rules: readonly { operations?: string[] }[] = [], path: string): Iterable<FieldError> {
  for (const { operations = [] } of rules)
    for (const operation of operations)
      if (!OPERATIONS.includes(operation))
        yield notSupported(`${path}.resourceRules.operations`, operation, OPERATIONS);
}

function* mutationProblems(
  { patchType, jsonPatch, applyConfiguration }: Mutation,
  at: string,
  environment: Environment,
): Iterable<FieldError> {
  if (!patchType) {
    yield required(`${at}.patchType`);
    return;
  }
  const results = MUTATION_RESULTS[patchType];
  if (!results) {
    yield notSupported(`${at}.patchType`, patchType, PATCH_TYPES);
    return;
  }
  const given = { jsonPatch, applyConfiguration };
  const [own, other] =
    patchType === "JSONPatch"
      ? (["jsonPatch", "applyConfiguration"] as const)
      : (["applyConfiguration", "jsonPatch"] as const);
  if (!given[own]) yield required(`${at}.${own}`, `must be specified when patchType is ${patchType}`);
  else yield* neededExpression(environment, given[own].expression?.trim(), `${at}.${own}.expression`, results);
  if (given[other])
    yield invalidValue(`${at}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`);
}

function* reinvocationProblems(policy: string | undefined, path: string): Iterable<FieldError> {
  if (!policy) yield required(path);
  else if (!REINVOCATION_POLICIES.includes(policy)) yield notSupported(path, policy, REINVOCATION_POLICIES);
}

export const MutatingAdmissionPolicyBinding = defineKind({
  schema: "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBinding",
  defaults: matchDefaults("spec.matchResources"),
  *validate({ spec = {} }) {
    const { policyName, paramRef, matchResources } = spec;
    yield* policyNameProblems(policyName);
    yield* paramRefProblems(paramRef, "spec.paramRef");
    yield* matchResourcesProblems(matchResources, "spec.matchResources");
    yield* operationProblems(matchResources?.resourceRules, "spec.matchResources");
  },
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", value: ({ spec }) => spec?.policyName ?? "" },
    { name: "ParamRef", type: "string", value: ({ spec }) => paramRefText(spec?.paramRef) },
    ageColumn,
  ],
});
