import { expect, test } from "vitest";
import { testCluster } from "../../testing/cluster.ts";

const VERSION = "admissionregistration.k8s.io/v1beta1";
const API = `/apis/${VERSION}`;
const DEFAULT = "/namespaces/default";
const MAPS = `/api/v1${DEFAULT}/configmaps`;
const DEPLOYMENTS = `/apis/apps/v1${DEFAULT}/deployments`;
const rules = [
  { operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] },
  { operations: ["CREATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] },
];
const apply = (expression: string) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } });
const patch = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });
/** Appends to a text, so that it can be counted how often it ran. */
const append = (key: string, text: string) =>
  patch(`[JSONPatch{op: 'add', path: '/data/${key}', value: object.data[?'${key}'].orValue('') + '${text}'}]`);

/** Each of the specs is a policy that is bound. */
async function cluster(...specs: object[]) {
  const { ask } = await testCluster({ runtimeConfig: { [VERSION]: true } });
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  for (const [index, spec] of specs.entries()) {
    const name = `policy-${index}`;
    const common = { matchConstraints: { resourceRules: rules }, reinvocationPolicy: "Never" };
    const policy = { metadata: { name }, spec: { ...common, ...spec } };
    expect((await ask("POST", `${API}/mutatingadmissionpolicies`, policy)).body.message).toBeUndefined();
    await ask("POST", `${API}/mutatingadmissionpolicybindings`, { metadata: { name }, spec: { policyName: name } });
  }
  return { ask, create: (data: object = {}) => ask("POST", MAPS, { metadata: { name: "a" }, data }) };
}

test("is not served unless it is asked for", async () => {
  const { ask } = await testCluster();
  expect((await ask("GET", `${API}/mutatingadmissionpolicies`)).code).toBe(404);
  const { body } = await ask("GET", "/apis/admissionregistration.k8s.io");
  expect(body.versions).toHaveLength(1);
});

test("an apply configuration is merged into the object: items by their keys", async () => {
  const at = "Object.spec.template.spec";
  const containers = `[${at}.containers{name: 'main', env: [${at}.containers.env{name: 'A', value: 'B'}]}]`;
  const expression = `Object{spec: Object.spec{template: Object.spec.template{spec: ${at}{containers: ${containers}}}}}`;
  const { ask } = await cluster({ mutations: [apply(expression)] });
  const labels = { app: "a" };
  const spec = { containers: [{ name: "main", image: "i" }] };
  const made = await ask("POST", DEPLOYMENTS, {
    metadata: { name: "d" },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
  expect(made.body.spec.template.spec.containers).toEqual([
    expect.objectContaining({ name: "main", image: "i", env: [{ name: "A", value: "B" }] }),
  ]);
});

test("what would replace a whole list, or stands elsewhere than its name says, is refused", async () => {
  const denied = async (expression: string) =>
    (await (await cluster({ mutations: [apply(expression)] })).create()).body.message;
  expect(await denied("Object{metadata: Object.meta{name: 'x'}}")).toBe(
    `policy 'policy-0' with binding 'policy-0' denied request: type mismatch: unexpected type name "Object.meta", expected "Object.metadata", which matches field name path from root Object type`,
  );
  expect(await denied("Object{foo: 'x'}")).toContain(
    "failed to convert patch object to typed object: .foo: field not declared in schema",
  );
});

test("JSON patches see what those before have made; a test that fails leaves the object as it was", async () => {
  const { create } = await cluster({
    mutations: [
      patch("[JSONPatch{op: 'add', path: '/data/b', value: '1'}]"),
      patch("[JSONPatch{op: 'copy', from: '/data/b', path: '/data/c'}, JSONPatch{op: 'remove', path: '/data/b'}]"),
      patch("[JSONPatch{op: 'test', path: '/data/c', value: 'x'}, JSONPatch{op: 'remove', path: '/data/c'}]"),
    ],
  });
  expect((await create({ a: "0" })).body.data).toEqual({ a: "0", c: "1" });
});

test("those that ask for it are asked again when something has changed", async () => {
  const { create } = await cluster(
    { reinvocationPolicy: "IfNeeded", mutations: [append("again", "x")] },
    { mutations: [append("once", "x")] },
  );
  expect((await create({ a: "" })).body.data).toEqual({ a: "", again: "xx", once: "x" });
});

test("a mutation that fails refuses the write unless the policy ignores failures; the others are made", async () => {
  const mutations = [apply("Object{data: {'b': object.data.none}}"), append("c", "x")];
  const strict = await (await cluster({ mutations })).create({ a: "1" });
  expect(strict.code).toBe(403);
  expect(strict.body.message).toContain("resulted in error: no such key: none");
  const lenient = await (await cluster({ mutations, failurePolicy: "Ignore" })).create({ a: "1" });
  expect(lenient.body.data).toEqual({ a: "1", c: "x" });
});

test("conditions, variables and what cannot be a policy", async () => {
  const { ask, create } = await cluster({
    variables: [{ name: "v", expression: "object.metadata.name + '!'" }],
    matchConditions: [{ name: "not-b", expression: "object.metadata.name != 'b'" }],
    mutations: [apply("Object{data: {'v': variables.v}}")],
  });
  expect((await create()).body.data).toEqual({ v: "a!" });
  expect((await ask("POST", MAPS, { metadata: { name: "b" } })).body.data).toBeUndefined();
  const wrong = await ask("POST", `${API}/mutatingadmissionpolicies`, {
    metadata: { name: "wrong" },
    spec: { matchConstraints: { resourceRules: rules }, reinvocationPolicy: "Never", mutations: [apply("1")] },
  });
  expect(wrong.body.message).toContain("must evaluate to Object but got int");
});
