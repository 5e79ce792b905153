import { expect, test } from "vitest";
import type { ApiError } from "../../lib/status.ts";
import { configMap, deployment, ObjectServer } from "./testing.ts";

/** What is refused, as its Status. */
function refusal(run: () => unknown) {
  try {
    run();
  } catch (error) {
    return (error as ApiError).status();
  }
  throw new Error("not refused");
}

const podSpec = (...containers: object[]) => ({ template: { spec: { containers } } });
const labelled = (...containers: object[]) => ({
  selector: { matchLabels: { app: "a" } },
  template: { metadata: { labels: { app: "a" } }, spec: { containers } },
});

test("an apply creates, and owns exactly what it sets", () => {
  const server = configMap();
  expect(server.apply({ data: { k: "v" } })).toEqual({
    apiVersion: "v1",
    kind: "ConfigMap",
    data: { k: "v" },
    metadata: {
      name: "a",
      managedFields: [
        {
          apiVersion: "v1",
          fieldsType: "FieldsV1",
          fieldsV1: { "f:data": { "f:k": {} } },
          manager: "m1",
          operation: "Apply",
          time: "2026-01-01T00:00:00Z",
        },
      ],
    },
  });
});

test("the same apply again changes nothing, its time neither", () => {
  const server = configMap();
  const first = server.apply({ data: { k: "v" } });
  expect(server.apply({ data: { k: "v" } })).toEqual(first);
});

test("what the applier no longer sets goes, unless someone else owns it", () => {
  const server = configMap();
  server.apply({ data: { k: "v", x: "y", z: "z" } });
  server.apply({ data: { x: "y" } }, { manager: "m2" });
  expect(server.apply({ data: { k: "v" } }).data).toEqual({ k: "v", x: "y" });
  expect(server.owners["m1 Apply"]).toEqual({ "f:data": { "f:k": {} } });
  expect(server.apply({}, { manager: "m2" }).data).toEqual({ k: "v" });
  expect(server.owners["m2 Apply"]).toBeUndefined();
});

test("a map that loses all of its keys goes too", () => {
  const server = configMap();
  server.apply({ data: { k: "v" } });
  expect(server.apply({})).not.toHaveProperty("data");
  expect(server.managers).toBeUndefined();
});

test("changing what another manager owns is a conflict", () => {
  const server = configMap();
  server.apply({ data: { k: "v" } });
  expect(refusal(() => server.apply({ data: { k: "w" } }, { manager: "m2" }))).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    code: 409,
    reason: "Conflict",
    message: 'Apply failed with 1 conflict: conflict with "m1": .data.k',
    details: { causes: [{ field: ".data.k", message: 'conflict with "m1"', reason: "FieldManagerConflict" }] },
  });
});

test("several conflicts are listed by owner", () => {
  const server = configMap();
  server.update({ data: { k: "v", z: "1" } }, { manager: "upd" });
  const { message, details } = refusal(() => server.apply({ data: { k: "w", z: "2" } }, { manager: "m2" }));
  expect(message).toBe('Apply failed with 2 conflicts: conflicts with "upd" using v1:\n- .data.k\n- .data.z');
  expect(details?.causes).toEqual(
    [".data.k", ".data.z"].map((field) => ({
      field,
      message: 'conflict with "upd" using v1',
      reason: "FieldManagerConflict",
    })),
  );
});

test("the same value is shared; who only shares it has no time and comes first", () => {
  const server = configMap();
  server.apply({ data: { k: "v" } });
  server.apply({ data: { k: "v" } }, { manager: "m2" });
  expect(server.managers?.map(({ manager, time }) => [manager, time])).toEqual([
    ["m2", undefined],
    ["m1", "2026-01-01T00:00:00Z"],
  ]);
});

test("force takes the fields", () => {
  const server = configMap();
  server.apply({ data: { k: "v" } });
  expect(server.apply({ data: { k: "w" } }, { manager: "m2", force: true }).data).toEqual({ k: "w" });
  expect(server.owners).toEqual({ "m2 Apply": { "f:data": { "f:k": {} } } });
});

test("items of lists with keys are merged and owned one by one", () => {
  const server = deployment();
  server.apply({ spec: labelled({ name: "c", image: "i", env: [{ name: "A", value: "1" }] }) });
  const second = podSpec({ name: "c", env: [{ name: "B", value: "2" }] }, { name: "side", image: "s:1" });
  const { spec } = server.apply({ spec: second }, { manager: "m2" });
  expect(spec).toMatchObject(
    podSpec(
      {
        name: "c",
        image: "i",
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      },
      { name: "side", image: "s:1" },
    ),
  );
  const env = (name: string) => ({ [`k:{"name":"${name}"}`]: { ".": {}, "f:name": {}, "f:value": {} } });
  expect(server.owners).toEqual({
    "m1 Apply": {
      "f:spec": {
        "f:selector": {},
        "f:template": {
          "f:metadata": { "f:labels": { "f:app": {} } },
          "f:spec": {
            "f:containers": {
              'k:{"name":"c"}': { ".": {}, "f:env": env("A"), "f:image": {}, "f:name": {} },
            },
          },
        },
      },
    },
    "m2 Apply": {
      "f:spec": {
        "f:template": {
          "f:spec": {
            "f:containers": {
              'k:{"name":"c"}': { ".": {}, "f:env": env("B"), "f:name": {} },
              'k:{"name":"side"}': { ".": {}, "f:image": {}, "f:name": {} },
            },
          },
        },
      },
    },
  });
});

test("an item that is no longer applied goes", () => {
  const server = deployment();
  server.apply({ spec: labelled({ name: "c", image: "i" }, { name: "d", image: "i" }) });
  const { spec } = server.apply({ spec: labelled({ name: "c", image: "i" }) });
  expect(spec).toMatchObject({ template: { spec: { containers: [{ name: "c", image: "i" }] } } });
  expect((spec as ReturnType<typeof labelled>).template.spec.containers).toHaveLength(1);
});

test("items come in the order of the apply, others keep their place among their neighbours", () => {
  const server = deployment();
  server.update({ spec: labelled({ name: "x" }, { name: "a" }, { name: "y" }, { name: "b" }) }, { manager: "u" });
  const { spec } = server.apply({ spec: podSpec({ name: "b" }, { name: "new" }, { name: "a" }) });
  const names = (spec as ReturnType<typeof labelled>).template.spec.containers.map((c) => (c as { name: string }).name);
  expect(names).toEqual(["x", "y", "b", "new", "a"]);
});

test("a key left out of an item has its default", () => {
  const server = deployment();
  server.apply({ spec: podSpec({ name: "c", ports: [{ containerPort: 80 }] }) });
  const text = JSON.stringify(server.owners["m1 Apply"]);
  expect(text).toContain('k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}');
});

test("an atomic value has one owner", () => {
  const server = deployment();
  server.apply({ spec: { selector: { matchLabels: { app: "a" } } } });
  const other = { spec: { selector: { matchLabels: { app: "a", b: "c" } } } };
  expect(refusal(() => server.apply(other, { manager: "m2" })).message).toBe(
    'Apply failed with 1 conflict: conflict with "m1": .spec.selector',
  );
});

test("a set's values are owned one by one", () => {
  const server = configMap();
  server.apply({ metadata: { name: "a", finalizers: ["x.io/a"] } });
  server.apply({ metadata: { name: "a", finalizers: ["x.io/b"] } }, { manager: "m2" });
  expect(server.object?.metadata?.finalizers).toEqual(["x.io/a", "x.io/b"]);
  expect(server.owners["m2 Apply"]).toEqual({ "f:metadata": { "f:finalizers": { 'v:"x.io/b"': {} } } });
  server.apply({}, { manager: "m2" });
  expect(server.object?.metadata?.finalizers).toEqual(["x.io/a"]);
});

test("an owner reference is owned by its uid, its struct as one", () => {
  const server = configMap();
  const owner = (uid: string) => ({ apiVersion: "v1", kind: "X", name: uid, uid });
  server.apply({ metadata: { name: "a", ownerReferences: [owner("1")] } });
  server.apply({ metadata: { name: "a", ownerReferences: [owner("2")] } }, { manager: "m2" });
  expect(server.object?.metadata?.ownerReferences?.map(({ uid }) => uid)).toEqual(["1", "2"]);
  expect(server.owners["m1 Apply"]).toEqual({ "f:metadata": { "f:ownerReferences": { 'k:{"uid":"1"}': {} } } });
});

test("replicas handed over to an autoscaler", () => {
  const server = deployment();
  const spec = labelled({ name: "c", image: "i" });
  server.apply({ spec: { ...spec, replicas: 3 } });
  const scaled = { ...server.object, spec: { ...spec, replicas: 5 } };
  server.update(scaled, { manager: "hpa", subresource: "scale" });
  const { message } = refusal(() => server.apply({ spec: { ...spec, replicas: 3 } }));
  expect(message).toBe(
    'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas',
  );
  expect(server.apply({ spec }).spec).toMatchObject({ replicas: 5 });
  expect(server.owners["hpa Update scale"]).toEqual({ "f:spec": { "f:replicas": {} } });
});

test("an apply of a status owns no more than the status", () => {
  const server = deployment();
  server.apply({ spec: labelled({ name: "c" }) });
  const status = { replicas: 2, conditions: [{ type: "Available", status: "True" }] };
  server.apply({ spec: { replicas: 9 }, status }, { manager: "ctl", subresource: "status" });
  expect(server.owners["ctl Apply status"]).toEqual({
    "f:status": {
      "f:conditions": { 'k:{"type":"Available"}': { ".": {}, "f:status": {}, "f:type": {} } },
      "f:replicas": {},
    },
  });
  server.apply({ spec: labelled({ name: "c" }), status: { replicas: 1 } });
  expect(JSON.stringify(server.owners["m1 Apply"])).not.toContain("status");
});

test("an object that no one was tracked on is owned by before-first-apply", () => {
  const server = configMap();
  server.object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", uid: "u" }, data: { k: "v", l: "w" } };
  expect(refusal(() => server.apply({ data: { k: "x" } })).message).toBe(
    'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k',
  );
  server.apply({ data: { k: "v" } });
  expect(server.owners).toEqual({
    "m1 Apply": { "f:data": { "f:k": {} } },
    "before-first-apply Update": { "f:data": { ".": {}, "f:k": {}, "f:l": {} } },
  });
});

test("kubectl takes over what its client-side apply set, and keeps its annotation in step", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const server = configMap();
  const sent = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { k: "v" } };
  const metadata = { name: "a", annotations: { [annotation]: JSON.stringify(sent) } };
  server.update({ metadata, data: { k: "v", other: "1" } }, { manager: "kubectl-client-side-apply" });
  expect(refusal(() => server.apply({ data: { k: "w" } }, { manager: "else" })).code).toBe(409);
  const { message } = refusal(() => server.apply({ data: { k: "w", other: "2" } }, { manager: "kubectl" }));
  expect(message).toBe('Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.other');
  const applied = server.apply({ data: { k: "w" } }, { manager: "kubectl" });
  expect(applied.data).toEqual({ k: "w", other: "1" });
  expect(JSON.parse(applied.metadata?.annotations?.[annotation] ?? "")).toEqual({ ...sent, data: { k: "w" } });
});

test("a body that does not fit is refused in the words of structured-merge-diff", () => {
  const server = deployment();
  expect(
    refusal(() => server.apply({ spec: podSpec({ name: "c", foo: 1 }), metadata: { name: "a", namespace: "n" } })),
  ).toEqual(
    expect.objectContaining({
      code: 500,
      message:
        'failed to create typed patch object (n/a; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="c"].foo: field not declared in schema',
    }),
  );
  const twice = () => server.apply({ spec: podSpec({ name: "c" }, { name: "c" }) });
  expect(refusal(twice).message).toContain('.spec.template.spec.containers: duplicate entries for key [name="c"]');
  const keyless = () => server.apply({ spec: podSpec({ image: "c" }), foo: 1 });
  expect(refusal(keyless).message).toContain(
    'errors:\n  .spec.template.spec.containers[0]: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)\n  .foo: field not declared in schema',
  );
  expect(refusal(() => configMap().apply({ data: { k: true } })).message).toContain(
    ".data.k: expected string, got &value.valueUnstructured{Value:true}",
  );
  const managed = { metadata: { name: "a", managedFields: [{ manager: "x" }] } };
  expect(refusal(() => server.apply(managed))).toMatchObject({
    code: 400,
    message: "metadata.managedFields must be nil",
  });
  expect(refusal(() => server.apply({ apiVersion: "apps/v1beta1" }))).toMatchObject({
    code: 400,
    message: "invalid object type: apps/v1beta1, Kind=Deployment",
  });
});

test("a custom resource is tracked by its own schema; what that leaves open is owned by key", () => {
  const item = { type: "object", fields: { k: { type: "string" }, v: { type: "string" } } } as const;
  const spec = {
    type: "object",
    fields: {
      l: { type: "list", listType: "map", listKeys: ["k"], items: item },
      free: { type: "any", preserveUnknown: true },
    },
  } as const;
  const server = new ObjectServer("example.com/v1", "Thing", { type: "object", fields: { spec } });
  server.apply({ spec: { l: [{ k: "x", v: "1" }] } });
  server.apply({ spec: { l: [{ k: "y", v: "2" }], free: { a: { b: 1 }, c: [1] } } }, { manager: "m2" });
  expect(server.object?.spec).toEqual({
    l: [
      { k: "x", v: "1" },
      { k: "y", v: "2" },
    ],
    free: { a: { b: 1 }, c: [1] },
  });
  expect(server.owners["m2 Apply"]).toEqual({
    "f:spec": {
      "f:free": { "f:a": { ".": {}, "f:b": {} }, "f:c": {} },
      "f:l": { 'k:{"k":"y"}': { ".": {}, "f:k": {}, "f:v": {} } },
    },
  });
  server.apply({ spec: { free: { c: [1] } } }, { manager: "m2" });
  expect(server.object?.spec).toEqual({ l: [{ k: "x", v: "1" }], free: { c: [1] } });
});
