import { expect, test } from "vitest";
import type { Kind } from "../kinds/kind.ts";
import { builtinKinds } from "../kinds/registry.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Callout, CalloutAnswer } from "./callouts/callouts.ts";
import { serveCustomResources } from "./custom-resources.ts";
import { fromStored } from "./engine/conversions.ts";
import { asItem } from "./engine/stored.ts";
import { testCluster } from "./testing/cluster.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const OBJECTS = "/apis/example.com/v1/namespaces/default/backups";
const schema = (spec: object) => ({ openAPIV3Schema: { type: "object", properties: { spec } } });
const version = (name: string, spec: object, more: object = {}) => ({
  name,
  served: true,
  storage: name === "v1",
  schema: schema({ type: "object", ...spec }),
  ...more,
});
const definition = (versions: object[], names: object = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "backups.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "backups", kind: "Backup", ...names },
    versions,
  },
});
const backup = (spec: object, more: object = {}) => ({
  apiVersion: "example.com/v1",
  kind: "Backup",
  metadata: { name: "nightly", ...more },
  spec,
});

async function served(...versions: object[]) {
  const cluster = await testCluster();
  expect((await cluster.ask("POST", DEFINITIONS, definition(versions))).code).toBe(201);
  await cluster.ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  return cluster;
}

test("a definition is served at once, in discovery and in both OpenAPI versions", async () => {
  const { ask } = await served(version("v1", { properties: { keep: { type: "integer", description: "Days." } } }));
  const groups = (await ask("GET", "/apis")).body.groups.map(({ name }: { name: string }) => name);
  expect(groups).toContain("example.com");
  expect((await ask("GET", "/openapi/v3/apis/example.com/v1")).body.components.schemas).toHaveProperty(
    ["com.example.v1.Backup", "properties", "spec", "properties", "keep", "description"],
    "Days.",
  );
  expect((await ask("GET", "/openapi/v2")).body.definitions).toHaveProperty(["com.example.v1.BackupList"]);
});

test("what the schema does not name is pruned, what it defaults is filled in, also in what was stored before", async () => {
  const { ask } = await served(version("v1", { properties: { keep: { type: "integer" } } }));
  await ask("POST", OBJECTS, backup({ keep: 1, colour: "red" }));
  const stored = (await ask("GET", `${DEFINITIONS}/backups.example.com`)).body;
  const properties = { keep: { type: "integer" }, where: { type: "string", default: "here" } };
  stored.spec.versions = [version("v1", { properties })];
  expect((await ask("PUT", `${DEFINITIONS}/backups.example.com`, stored)).code).toBe(200);
  expect((await ask("GET", `${OBJECTS}/nightly`)).body.spec).toEqual({ keep: 1, where: "here" });
  expect((await ask("GET", OBJECTS)).body.items[0].spec).toEqual({ keep: 1, where: "here" });
});

test("what is deleted is told as the schema has it now, however long ago it was written", async () => {
  const { ask, store, kinds } = await served(version("v1", { properties: { keep: { type: "integer" } } }));
  await ask("POST", OBJECTS, backup({ keep: 1 }));
  const stored = (await ask("GET", `${DEFINITIONS}/backups.example.com`)).body;
  stored.spec.versions = [version("v1", { properties: { where: { type: "string", default: "here" } } })];
  await ask("PUT", `${DEFINITIONS}/backups.example.com`, stored);
  const told: string[] = [];
  store.onChange((changes) => told.push(...changes.map(({ json }) => json)));
  await ask("DELETE", `${OBJECTS}/nightly`);
  const kind = kinds.find("example.com", "v1", "backups") as Kind;
  expect(told.map((json) => JSON.parse(asItem(kind, json)).spec)).toEqual([{ where: "here" }]);
});

test("what was written by the schema of today is served as it lies, also after a restart", async () => {
  const { ask, store, kinds } = await served(version("v1", { properties: { keep: { type: "integer" } } }));
  const stored = (await ask("GET", `${DEFINITIONS}/backups.example.com`)).body;
  stored.spec.versions = [version("v1", { properties: { keep: { type: "integer", default: 7 } } })];
  await ask("POST", OBJECTS, backup({ keep: 1 }));
  await ask("POST", OBJECTS, { ...backup({}), metadata: { name: "before" } });
  await ask("PUT", `${DEFINITIONS}/backups.example.com`, stored);
  await ask("POST", OBJECTS, { ...backup({}), metadata: { name: "after" } });
  const again = builtinKinds();
  serveCustomResources(store, again);
  for (const served of [kinds, again]) {
    const kind = served.find("example.com", "v1", "backups") as Kind;
    const { items } = store.list({ resource: kind.groupResource });
    const read = items.map(({ json }) => JSON.parse(json) as KubeObject);
    expect(read.filter((object) => fromStored(kind, object) === object)).toMatchObject([
      { metadata: { name: "after" } },
    ]);
    expect(items.map(({ json }) => JSON.parse(asItem(kind, json)).spec.keep)).toEqual([7, 7, 1]);
  }
});

test("one object under two versions; its form does not depend on which one wrote it", async () => {
  const properties = { keep: { type: "integer" } };
  const { ask } = await served(version("v1", { properties }), version("v2", { properties }));
  await ask("POST", OBJECTS, backup({ keep: 3 }));
  const other = await ask("GET", "/apis/example.com/v2/namespaces/default/backups/nightly");
  expect(other.body).toMatchObject({ apiVersion: "example.com/v2", spec: { keep: 3 } });
});

test("deleting a definition deletes its objects through their finalizers first", async () => {
  const { ask } = await served(version("v1", {}));
  await ask("POST", OBJECTS, backup({}, { finalizers: ["example.com/held"] }));
  await ask("DELETE", `${DEFINITIONS}/backups.example.com`);
  const waiting = (await ask("GET", `${DEFINITIONS}/backups.example.com`)).body;
  expect(waiting.status.conditions).toContainEqual(expect.objectContaining({ type: "Terminating", status: "True" }));
  const held = (await ask("GET", `${OBJECTS}/nightly`)).body;
  expect(held.metadata.deletionTimestamp).toBeDefined();
  await ask("PUT", `${OBJECTS}/nightly`, { ...held, metadata: { ...held.metadata, finalizers: [] } });
  expect((await ask("GET", `${DEFINITIONS}/backups.example.com`)).code).toBe(404);
  expect((await ask("GET", OBJECTS)).code).toBe(404);
});

test("names that another definition of the group has are not accepted until they are free", async () => {
  const { ask } = await served(version("v1", {}));
  const second = definition([version("v1", {})], { plural: "copies", singular: "copy", kind: "Backup" });
  second.metadata.name = "copies.example.com";
  await ask("POST", DEFINITIONS, second);
  const conditions = async () => (await ask("GET", `${DEFINITIONS}/copies.example.com`)).body.status.conditions;
  expect(await conditions()).toContainEqual(
    expect.objectContaining({ type: "NamesAccepted", status: "False", reason: "ListKindConflict" }),
  );
  expect((await ask("GET", "/apis/example.com/v1/copies")).code).toBe(404);
  await ask("DELETE", `${DEFINITIONS}/backups.example.com`);
  expect(await conditions()).toContainEqual(expect.objectContaining({ type: "Established", status: "True" }));
  expect((await ask("GET", "/apis/example.com/v1/copies")).code).toBe(200);
});

test("generation counts the spec; the status too where it has no endpoint of its own", async () => {
  const status = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const free = { openAPIV3Schema: { type: "object", properties: { spec: status, status } } };
  const generation = async (subresources: object) => {
    const { ask } = await served(version("v1", {}, { schema: free, subresources }));
    const made = (await ask("POST", OBJECTS, backup({}))).body;
    const changed = await ask("PUT", `${OBJECTS}/nightly`, { ...made, status: { phase: "Done" } });
    return changed.body.metadata.generation;
  };
  expect(await generation({ status: {} })).toBe(1);
  expect(await generation({})).toBe(2);
});

test("selectable fields select, and only those", async () => {
  const properties = { where: { type: "string" } };
  const { ask } = await served(version("v1", { properties }, { selectableFields: [{ jsonPath: ".spec.where" }] }));
  await ask("POST", OBJECTS, backup({ where: "here" }));
  const count = async (value: string) =>
    (await ask("GET", `${OBJECTS}?fieldSelector=spec.where%3D${value}`)).body.items.length;
  expect(await count("here")).toBe(1);
  expect(await count("there")).toBe(0);
  expect((await ask("GET", `${OBJECTS}?fieldSelector=spec.other%3Dx`)).code).toBe(400);
});

test("a repeated key is told also where unknown fields are kept", async () => {
  const free = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const { ask } = await served(version("v1", {}, { schema: free }));
  const body = '{"apiVersion":"example.com/v1","kind":"Backup","metadata":{"name":"a"},"spec":{"x":1,"x":2}}';
  const refused = await ask("POST", `${OBJECTS}?fieldValidation=Strict`, body);
  expect(refused.code).toBe(400);
  expect(refused.body.message).toContain('duplicate field "spec.x"');
});

test("rules compare fields, and what is with what was; they say it in their own words", async () => {
  const name = {
    type: "string",
    maxLength: 20,
    "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "name is immutable" }],
  };
  const rule = {
    rule: "self.min <= self.max",
    messageExpression: "self.min > 4 ? 'min is above max' : 'no'",
    fieldPath: ".min",
    reason: "FieldValueForbidden",
  };
  const properties = { min: { type: "integer" }, max: { type: "integer" }, name };
  const { ask } = await served(version("v1", { properties, "x-kubernetes-validations": [rule] }));
  const refused = await ask("POST", OBJECTS, backup({ min: 5, max: 1, name: "a" }));
  expect(refused.code).toBe(422);
  expect(refused.body.details.causes).toEqual([
    { field: "spec.min", reason: "FieldValueForbidden", message: "Forbidden: min is above max" },
  ]);
  const made = (await ask("POST", OBJECTS, backup({ min: 1, max: 2, name: "a" }))).body;
  made.spec.name = "b";
  const renamed = await ask("PUT", `${OBJECTS}/nightly`, made);
  expect(renamed.body.details.causes).toEqual([
    { field: "spec.name", reason: "FieldValueInvalid", message: 'Invalid value: "b": name is immutable' },
  ]);
});

test("a rule that could cost too much is refused, by itself and with all others", async () => {
  const { ask } = await testCluster();
  const properties = { list: { type: "array", items: { type: "string" } } };
  const rules = [{ rule: "self.list.all(a, self.list.all(b, a == b))" }];
  const spec = { properties, "x-kubernetes-validations": rules };
  const answer = await ask("POST", DEFINITIONS, definition([version("v1", spec)]));
  const of = (field: string) => `spec.validation.openAPIV3Schema${field}`;
  const advice =
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
  expect(answer.body.details.causes).toEqual([
    {
      field: of(".properties[spec].x-kubernetes-validations[0].rule"),
      reason: "FieldValueForbidden",
      message: `Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${advice}`,
    },
    {
      field: of(".properties[spec].x-kubernetes-validations[0].rule"),
      reason: "FieldValueForbidden",
      message: "Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema",
    },
    {
      field: of(""),
      reason: "FieldValueForbidden",
      message: `Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${advice}`,
    },
  ]);
});

test("a rule that does not compile is told when it is declared", async () => {
  const { ask } = await testCluster();
  const rules = [{ rule: "self.nothing > 1" }];
  const answer = await ask("POST", DEFINITIONS, definition([version("v1", { "x-kubernetes-validations": rules })]));
  expect(answer.code).toBe(422);
  expect(answer.body.message).toContain("x-kubernetes-validations[0].rule");
});

test("what breaks a rule and was there before does not keep the rest from being changed", async () => {
  const properties = { size: { type: "integer" }, note: { type: "string" } };
  const { ask } = await served(version("v1", { properties }));
  await ask("POST", OBJECTS, backup({ size: 9, note: "a" }));
  const stored = (await ask("GET", `${DEFINITIONS}/backups.example.com`)).body;
  const size = { type: "integer", "x-kubernetes-validations": [{ rule: "self < 5" }] };
  stored.spec.versions = [version("v1", { properties: { ...properties, size } })];
  await ask("PUT", `${DEFINITIONS}/backups.example.com`, stored);
  const object = (await ask("GET", `${OBJECTS}/nightly`)).body;
  const untouched = await ask("PUT", `${OBJECTS}/nightly`, { ...object, spec: { size: 9, note: "b" } });
  expect(untouched.code).toBe(200);
  expect(untouched.headers.get("warning")).toContain("spec.size: Invalid value: 9: failed rule: self < 5");
  expect((await ask("POST", OBJECTS, { ...backup({ size: 9 }), metadata: { name: "new" } })).code).toBe(422);
});

/** Version 2 calls `size` what version 1 calls `keep`. */
function converter() {
  const asked: number[] = [];
  const ask = async ({ body }: Callout): Promise<CalloutAnswer> => {
    const { apiVersion, request } = JSON.parse(body);
    asked.push(request.objects.length);
    const convertedObjects = request.objects.map(({ spec, ...object }: { spec: { keep?: number; size?: number } }) => ({
      ...object,
      apiVersion: request.desiredAPIVersion,
      spec: request.desiredAPIVersion.endsWith("v2") ? { size: spec.keep } : { keep: spec.size },
    }));
    const response = { uid: request.uid, result: { status: "Success" }, convertedObjects };
    return { status: 200, body: JSON.stringify({ kind: "ConversionReview", apiVersion, response }) };
  };
  return { ask, asked };
}

test("a webhook converts between versions: on writes before they are acknowledged, of a list all at once", async () => {
  const { ask: convert, asked } = converter();
  const { ask } = await testCluster({ ask: convert });
  const made = definition([
    version("v1", { properties: { keep: { type: "integer" } } }),
    version("v2", { properties: { size: { type: "integer" } } }, { selectableFields: [{ jsonPath: ".spec.size" }] }),
  ]);
  const conversion = {
    strategy: "Webhook",
    webhook: { clientConfig: { url: "https://example.com" }, conversionReviewVersions: ["v1"] },
  };
  await ask("POST", DEFINITIONS, { ...made, spec: { ...made.spec, conversion } });
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const v2 = OBJECTS.replace("v1", "v2");
  const written = await ask("POST", v2, { ...backup({ size: 3 }), apiVersion: "example.com/v2" });
  expect(written.body).toMatchObject({ apiVersion: "example.com/v2", spec: { size: 3 } });
  expect((await ask("GET", `${OBJECTS}/nightly`)).body.spec).toEqual({ keep: 3 });
  await ask("POST", OBJECTS, { ...backup({ keep: 4 }), metadata: { name: "weekly" } });
  const count = asked.length;
  const listed = await ask("GET", v2);
  expect(listed.body.items.map(({ spec }: { spec: object }) => spec)).toEqual([{ size: 3 }, { size: 4 }]);
  expect(asked.length - count).toBeLessThanOrEqual(1);
  expect((await ask("GET", `${v2}?fieldSelector=spec.size%3D4`)).body.items).toHaveLength(1);
});

test("what is written again, unchanged, moves to the version that its definition stores now", async () => {
  const { ask: convert } = converter();
  const { ask, store } = await testCluster({ ask: convert });
  const versions = (stored: string) =>
    ["v1", "v2"].map((name) =>
      version(name, { "x-kubernetes-preserve-unknown-fields": true }, { storage: name === stored }),
    );
  const webhook = { clientConfig: { url: "https://example.com" }, conversionReviewVersions: ["v1"] };
  const made = definition(versions("v1"));
  await ask("POST", DEFINITIONS, { ...made, spec: { ...made.spec, conversion: { strategy: "Webhook", webhook } } });
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const written = (await ask("POST", OBJECTS, backup({ keep: 1 }))).body;
  const defined = (await ask("GET", `${DEFINITIONS}/backups.example.com`)).body;
  defined.spec.versions = versions("v2");
  await ask("PUT", `${DEFINITIONS}/backups.example.com`, defined);
  const again = (await ask("PUT", `${OBJECTS}/nightly`, written)).body;
  expect(again.metadata.resourceVersion).not.toBe(written.metadata.resourceVersion);
  const key = { resource: "backups.example.com", namespace: "default", name: "nightly" };
  expect(JSON.parse(store.get(key)?.json ?? "")).toMatchObject({ apiVersion: "example.com/v2", spec: { size: 1 } });
  expect((await ask("PUT", `${OBJECTS}/nightly`, again)).body.metadata).toEqual(again.metadata);
});

test("where the webhook fails, so does the request, and nothing is written", async () => {
  const { ask } = await testCluster();
  const made = definition([version("v1", {}), version("v2", {})]);
  const conversion = {
    strategy: "Webhook",
    webhook: { clientConfig: { url: "https://example.com" }, conversionReviewVersions: ["v1"] },
  };
  await ask("POST", DEFINITIONS, { ...made, spec: { ...made.spec, conversion } });
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const refused = await ask("POST", OBJECTS, backup({}));
  expect(refused.code).toBe(500);
  expect(refused.body.message).toContain("conversion webhook for example.com/v1, Kind=Backup failed");
  expect((await ask("GET", `${OBJECTS}/nightly`)).code).toBe(404);
});
