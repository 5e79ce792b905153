import { byteLength } from "../../lib/bytes.ts";
import type { Environment } from "../../lib/cel/environment.ts";
import { BOOL, NULL, STRING, type Type } from "../../lib/cel/types.ts";
import { qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { admissionEnvironment, expressionProblems, neededExpression, type Scope } from "./expressions.ts";
import { matchDefaults, matchResourcesProblems, paramRefProblems } from "./matching.ts";
import { paramKindText, paramRefText } from "./policy-columns.ts";
import { policyNameProblems, policyProblems, policyScope } from "./policy-problems.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/ */
export type ValidatingAdmissionPolicy = Schemas["io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"];
export type ValidatingAdmissionPolicyBinding =
  Schemas["io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding"];

const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const ACTIONS = ["Audit", "Deny", "Warn"];
const MAX_ANNOTATIONS = 20;
const MAX_ANNOTATION_BYTES = 5 * 1024;

type Spec = NonNullable<ValidatingAdmissionPolicy["spec"]>;

export const ValidatingAdmissionPolicy = defineKind({
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  defaults: { "spec.failurePolicy": "Fail", ...matchDefaults("spec.matchConstraints") },
  *validate({ metadata, spec = {} }) {
    const known = new Map<string, Type>();
    yield* policyProblems(spec, known);
    const scope: Scope = { ...policyScope(spec), ...(spec.variables?.length && { variables: known }) };
    yield* ruleProblems(spec, metadata.name ?? "", scope);
  },
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", value: ({ spec }) => spec?.validations?.length ?? 0 },
    {
      name: "ParamKind",
      type: "string",
      value: ({ spec }) => paramKindText(spec?.paramKind),
    },
    ageColumn,
  ],
});

function* ruleProblems(
  { validations = [], auditAnnotations = [] }: Spec,
  name: string,
  scope: Scope,
): Iterable<FieldError> {
  if (!validations.length && !auditAnnotations.length) {
    const why = "validations or auditAnnotations must contain at least one item";
    yield required("spec.validations", why);
    yield required("spec.auditAnnotations", why);
    return;
  }
  const environment = admissionEnvironment(scope);
  const ofMessages = admissionEnvironment({ ...scope, authorizer: false });
  for (const [index, validation] of validations.entries())
    yield* validationProblems(validation, `spec.validations[${index}]`, environment, ofMessages);
  if (auditAnnotations.length > MAX_ANNOTATIONS)
    yield invalidValue(
      "spec.auditAnnotations",
      auditAnnotations.map(({ key, valueExpression }) => ({ Key: key, ValueExpression: valueExpression })),
      `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`,
    );
  const keys = new Set<string>();
  for (const [index, { key, valueExpression = "" }] of auditAnnotations.entries()) {
    const at = `spec.auditAnnotations[${index}]`;
    if (name)
      for (const why of qualifiedNameProblems(`${name}/${key}`)) yield invalidValue(`${at}.key`, `${name}/${key}`, why);
    else yield invalidValue(`${at}.key`, key, "requires metadata.name be non-empty");
    yield* annotationProblems(valueExpression, `${at}.valueExpression`, environment);
    if (keys.has(key)) yield duplicate(`${at}.key`, key);
    keys.add(key);
  }
}

function* annotationProblems(expression: string, path: string, environment: Environment): Iterable<FieldError> {
  const trimmed = expression.trim();
  if (!trimmed) yield required(path, "valueExpression is not specified");
  else if (byteLength(trimmed) > MAX_ANNOTATION_BYTES)
    yield required(path, `must not exceed ${MAX_ANNOTATION_BYTES} bytes in length`);
  else yield* expressionProblems(environment, trimmed, path, [STRING, NULL]);
}

type Validation = NonNullable<Spec["validations"]>[number];

function* validationProblems(
  { expression, message = "", messageExpression = "", reason }: Validation,
  at: string,
  environment: Environment,
  ofMessages: Environment,
): Iterable<FieldError> {
  yield* neededExpression(environment, expression, `${at}.expression`, [BOOL], "expression is not specified");
  if (messageExpression && !messageExpression.trim())
    yield invalidValue(`${at}.messageExpression`, messageExpression, "must be non-empty if specified");
  else if (messageExpression)
    yield* expressionProblems(ofMessages, messageExpression, `${at}.messageExpression`, [STRING]);
  if (message && !message.trim()) yield invalidValue(`${at}.message`, message, "must be non-empty if specified");
  else if (/[\n\r]/.test(message.trim())) yield invalidValue(`${at}.message`, message, "must not contain line breaks");
  if (reason !== undefined && !REASONS.includes(reason)) yield notSupported(`${at}.reason`, reason, REASONS);
}

export const ValidatingAdmissionPolicyBinding = defineKind({
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  defaults: matchDefaults("spec.matchResources"),
  *validate({ spec = {} }) {
    const { policyName, validationActions = [], paramRef, matchResources } = spec;
    yield* policyNameProblems(policyName);
    yield* paramRefProblems(paramRef, "spec.paramRef");
    yield* matchResourcesProblems(matchResources, "spec.matchResources");
    yield* actionProblems(validationActions, "spec.validationActions");
  },
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", value: ({ spec }) => spec?.policyName ?? "" },
    {
      name: "ParamRef",
      type: "string",
      value: ({ spec }) => paramRefText(spec?.paramRef),
    },
    ageColumn,
  ],
});

function* actionProblems(actions: readonly string[], path: string): Iterable<FieldError> {
  const seen = new Set<string>();
  for (const [index, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) yield notSupported(`${path}[${index}]`, action, ACTIONS);
    if (seen.has(action)) yield duplicate(`${path}[${index}]`, action);
    seen.add(action);
  }
  if (seen.has("Deny") && seen.has("Warn"))
    yield invalidValue(
      path,
      actions,
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
    );
  if (!seen.size) yield required(path, "at least one validation action is required");
}
