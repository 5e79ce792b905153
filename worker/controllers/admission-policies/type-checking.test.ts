import { expect, test } from "vitest";
import { ValidatingAdmissionPolicy } from "../../kinds/admissionregistration/validating-admission-policy.ts";
import { Model } from "../testing.ts";
import { policyTypeChecker } from "./type-checking.ts";

const rule = (apiGroups: string[], resources: string[], apiVersions = ["v1"]) => ({
  apiGroups,
  apiVersions,
  operations: ["CREATE"],
  resources,
});

function checked(spec: Partial<NonNullable<ValidatingAdmissionPolicy["spec"]>>, resourceRules: object[]) {
  const model = new Model([policyTypeChecker]);
  const made = { metadata: { name: "p", generation: 1 }, spec: { matchConstraints: { resourceRules }, ...spec } };
  model.create(ValidatingAdmissionPolicy, made as unknown as ValidatingAdmissionPolicy);
  model.rest();
  const status = model.get(ValidatingAdmissionPolicy, "p")?.status;
  expect(status?.observedGeneration).toBe(1);
  return status?.typeChecking?.expressionWarnings ?? [];
}

test("warns of fields that a kind does not have and of values of another type, for each kind", () => {
  const validations = [
    { expression: "object.spec.replicas > 1", messageExpression: "'is ' + object.spec.replicas" },
    { expression: "object.foo > '1'" },
  ];
  const warnings = checked({ validations }, [rule(["apps"], ["deployments", "statefulsets/scale"])]);
  expect(warnings.map(({ fieldRef }) => fieldRef)).toEqual([
    "spec.validations[0].messageExpression",
    "spec.validations[1].expression",
  ]);
  expect(warnings[0]?.warning).toBe(
    "apps/v1, Kind=Deployment: ERROR: <input>:1:7: found no matching overload for '_+_' applied to '(string, int)'\n | 'is ' + object.spec.replicas\n | ......^\n",
  );
  expect(warnings[1]?.warning).toContain("undefined field 'foo'");
});

test("variables have the types of their expressions, parameters those of their kind", () => {
  const warnings = checked(
    {
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      variables: [{ name: "replicas", expression: "object.spec.replicas" }],
      validations: [{ expression: "variables.replicas == 'a' || params.data.a == 1" }],
    },
    [rule(["apps"], ["deployments"])],
  );
  expect(warnings[0]?.warning.match(/found no matching overload/g)).toHaveLength(2);
});

test("what is behind a wildcard is not checked, nor what is not served", () => {
  const validations = [{ expression: "object.foo == 1" }];
  expect(checked({ validations }, [rule(["*"], ["deployments"]), rule(["apps"], ["*"])])).toEqual([]);
  expect(checked({ validations }, [rule(["apps"], ["nothings"]), rule(["apps"], ["deployments"], ["v9"])])).toEqual([]);
});
