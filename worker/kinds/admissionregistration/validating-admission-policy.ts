import { type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { conditionProblems, expressionProblems, policyCondition, policyExpression } from "./expressions.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/ */
export type ValidatingAdmissionPolicy = Schemas["io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"];
export type ValidatingAdmissionPolicyBinding =
  Schemas["io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding"];

const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
const ACTIONS = ["Audit", "Deny", "Warn"];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const matching = (path: string) => ({
  [`${path}.matchPolicy`]: "Equivalent",
  [`${path}.namespaceSelector`]: {},
  [`${path}.objectSelector`]: {},
  [`${path}.resourceRules[].scope`]: "*",
  [`${path}.excludeResourceRules[].scope`]: "*",
});

export const ValidatingAdmissionPolicy = defineKind({
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  defaults: { "spec.failurePolicy": "Fail", ...matching("spec.matchConstraints") },
  *validate({ spec }) {
    const {
      matchConstraints,
      validations = [],
      auditAnnotations = [],
      variables = [],
      matchConditions = [],
    } = spec ?? {};
    if (!matchConstraints) yield required("spec.matchConstraints");
    else if (!matchConstraints.resourceRules?.length) yield required("spec.matchConstraints.resourceRules");
    yield* conditionProblems(matchConditions, "spec.matchConditions", policyCondition);
    for (const [index, { name, expression }] of variables.entries()) {
      const at = `spec.variables[${index}]`;
      if (!name) yield required(`${at}.name`, "name is not specified");
      else if (!NAME.test(name)) yield invalidValue(`${at}.name`, name, "name is not a valid CEL identifier");
      yield* expressionProblems(expression, `${at}.expression`, policyExpression);
    }
    if (!validations.length && !auditAnnotations.length)
      yield required("spec.validations", "validations or auditAnnotations must be present. At least one is required.");
    for (const [index, validation] of validations.entries())
      yield* validationProblems(validation, `spec.validations[${index}]`);
    for (const [index, { key, valueExpression }] of auditAnnotations.entries()) {
      if (!key) yield required(`spec.auditAnnotations[${index}].key`);
      yield* expressionProblems(valueExpression, `spec.auditAnnotations[${index}].valueExpression`, policyExpression);
    }
  },
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", value: ({ spec }) => spec?.validations?.length ?? 0 },
    {
      name: "ParamKind",
      type: "string",
      value: ({ spec }) => (spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : "<unset>"),
    },
    ageColumn,
  ],
});

type Validation = NonNullable<NonNullable<ValidatingAdmissionPolicy["spec"]>["validations"]>[number];

function* validationProblems(
  { expression, message, messageExpression, reason }: Validation,
  at: string,
): Iterable<FieldError> {
  yield* expressionProblems(expression, `${at}.expression`, policyExpression, "bool");
  if (messageExpression)
    yield* expressionProblems(messageExpression, `${at}.messageExpression`, policyExpression, "string");
  if (message !== undefined && message.trim() === "")
    yield invalidValue(`${at}.message`, message, "message must be non-empty if specified");
  if (message?.trim().includes("\n"))
    yield invalidValue(`${at}.message`, message, "message must not contain line breaks");
  if (reason && !REASONS.includes(reason)) yield notSupported(`${at}.reason`, reason, REASONS);
}

export const ValidatingAdmissionPolicyBinding = defineKind({
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  defaults: matching("spec.matchResources"),
  *validate({ spec }) {
    const { policyName, validationActions = [], paramRef } = spec ?? {};
    if (!policyName) yield required("spec.policyName");
    if (!validationActions.length)
      yield required("spec.validationActions", "at least one validation action is required");
    for (const [index, action] of validationActions.entries())
      if (!ACTIONS.includes(action)) yield notSupported(`spec.validationActions[${index}]`, action, ACTIONS);
    if (validationActions.includes("Deny") && validationActions.includes("Warn"))
      yield invalidValue(
        "spec.validationActions",
        validationActions,
        "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
      );
    if (!paramRef) return;
    if (!paramRef.name && !paramRef.selector)
      yield required("spec.paramRef", "one of name or selector must be specified");
    if (paramRef.name && paramRef.selector)
      yield invalidValue("spec.paramRef.name", paramRef.name, "name and selector are mutually exclusive");
    if (!paramRef.parameterNotFoundAction) yield required("spec.paramRef.parameterNotFoundAction");
  },
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", value: ({ spec }) => spec?.policyName ?? "" },
    {
      name: "ParamRef",
      type: "string",
      value: ({ spec }) => {
        const { namespace, name } = spec?.paramRef ?? {};
        return spec?.paramRef ? (namespace ? `${namespace}/${name ?? "*"}` : (name ?? "*")) : "<unset>";
      },
    },
    ageColumn,
  ],
});
