import { expect, test } from "vitest";
import { testCluster } from "../../testing/cluster.ts";

const API = "/apis/admissionregistration.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";
const rules = [{ operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];

async function cluster(spec: object, binding: object = {}) {
  const { ask } = await testCluster();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default", labels: { team: "a" } } });
  const policy = await ask("POST", `${API}/validatingadmissionpolicies`, {
    metadata: { name: "rule" },
    spec: { matchConstraints: { resourceRules: rules }, ...spec },
  });
  expect(policy.body.message).toBeUndefined();
  const bound = await ask("POST", `${API}/validatingadmissionpolicybindings`, {
    metadata: { name: "all" },
    spec: { policyName: "rule", validationActions: ["Deny"], ...binding },
  });
  expect(bound.body.message).toBeUndefined();
  const create = (name: string, data: object = {}) => ask("POST", MAPS, { metadata: { name }, data });
  return { ask, create };
}

test("variables are shared by expressions, and may use one another", async () => {
  const { create } = await cluster({
    variables: [
      { name: "keys", expression: "object.data.map(k, k)" },
      { name: "many", expression: "variables.keys.size() > 1" },
    ],
    validations: [{ expression: "!variables.many", messageExpression: "'too many: ' + variables.keys.join(',')" }],
  });
  expect((await create("one", { a: "1" })).code).toBe(201);
  expect((await create("two", { a: "1", b: "2" })).body.message).toContain("denied request: too many: a,b");
});

test("a binding may only warn", async () => {
  const { create } = await cluster(
    { validations: [{ expression: "false", message: "careful" }] },
    { validationActions: ["Warn"] },
  );
  const answer = await create("a");
  expect(answer.code).toBe(201);
  expect(answer.headers.get("warning")).toContain("with binding 'all': careful");
});

test("conditions leave writes out; the namespace and the requester can be looked at", async () => {
  const { create } = await cluster({
    matchConditions: [{ name: "not-mine", expression: "object.metadata.name != 'mine'" }],
    validations: [{ expression: "namespaceObject.metadata.labels.team == 'b' || request.userInfo.username == 'x'" }],
  });
  expect((await create("mine")).code).toBe(201);
  expect((await create("other")).code).toBe(422);
});

test("each parameter is a rule of its own, and one that is missing denies", async () => {
  const { ask, create } = await cluster(
    {
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      matchConditions: [{ name: "no-params", expression: "!object.metadata.name.startsWith('param')" }],
      validations: [{ expression: "size(object.data) <= int(params.data.most)" }],
    },
    { paramRef: { name: "params", parameterNotFoundAction: "Deny" } },
  );
  expect((await create("a", { a: "1" })).body.message).toContain("no params found for policy binding");
  await ask("DELETE", `${API}/validatingadmissionpolicybindings/all`);
  await create("params", { most: "1" });
  await ask("POST", `${API}/validatingadmissionpolicybindings`, {
    metadata: { name: "all" },
    spec: {
      policyName: "rule",
      validationActions: ["Deny"],
      paramRef: { name: "params", parameterNotFoundAction: "Deny" },
    },
  });
  expect((await create("b", { a: "1" })).code).toBe(201);
  expect((await create("c", { a: "1", b: "2" })).code).toBe(422);
});

test("an expression that fails denies, unless failures are ignored", async () => {
  const validations = [{ expression: "object.nothing.here == 1" }];
  expect((await (await cluster({ validations })).create("a")).body.message).toContain("resulted in error: no such key");
  expect((await (await cluster({ validations, failurePolicy: "Ignore" })).create("a")).code).toBe(201);
});

test("expressions may ask what someone may do", async () => {
  const { create } = await cluster({
    validations: [
      { expression: "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()" },
      {
        expression: "authorizer.serviceAccount('default', 'nobody').path('/metrics').check('get').allowed()",
        message: "nobody may not",
      },
    ],
  });
  expect((await create("a")).body.message).toContain("nobody may not");
});

test("what cannot compile, or is no bool, is refused when it is written", async () => {
  const { ask } = await testCluster();
  const refused = async (spec: object) =>
    (
      await ask("POST", `${API}/validatingadmissionpolicies`, {
        metadata: { name: "rule" },
        spec: { matchConstraints: { resourceRules: rules }, ...spec },
      })
    ).body.details.causes.map(({ field }: { field: string }) => field);
  expect(await refused({ validations: [{ expression: "object." }] })).toEqual(["spec.validations[0].expression"]);
  expect(await refused({ validations: [{ expression: "'text'" }] })).toEqual(["spec.validations[0].expression"]);
  expect(await refused({})).toEqual(["spec.validations", "spec.auditAnnotations"]);
});
