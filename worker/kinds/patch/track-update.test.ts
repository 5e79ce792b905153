import { expect, test } from "vitest";
import { configMap, deployment, ObjectServer } from "./testing.ts";

test("a create owns what it sets; a struct that Go holds by value is no field of its own", () => {
  const server = deployment();
  const container = { name: "c", image: "i", resources: {}, ports: [{ containerPort: 80, protocol: "TCP" }] };
  server.update({
    metadata: { name: "a", labels: { x: "y" }, creationTimestamp: "2026-01-01T00:00:00Z", uid: "u" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "a" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%" } },
      template: { metadata: { labels: { app: "a" } }, spec: { containers: [container] } },
    },
    status: {},
  });
  expect(server.owners).toEqual({
    "m1 Update": {
      "f:metadata": { "f:labels": { ".": {}, "f:x": {} } },
      "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
        "f:template": {
          "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
          "f:spec": {
            "f:containers": {
              'k:{"name":"c"}': {
                ".": {},
                "f:image": {},
                "f:name": {},
                "f:ports": {
                  ".": {},
                  'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
                },
                "f:resources": {},
              },
            },
          },
        },
      },
    },
  });
});

test("fields that change move to the writer, with its time; the others stay", () => {
  const server = configMap();
  server.update({ data: { k: "1" } }, { manager: "u1" });
  server.update({ data: { k: "2", l: "3" } }, { manager: "u2" });
  server.update({ data: { k: "2", l: "3", m: "4" } }, { manager: "u3" });
  expect(server.owners).toEqual({
    "u1 Update": { "f:data": {} },
    "u2 Update": { "f:data": { "f:k": {}, "f:l": {} } },
    "u3 Update": { "f:data": { "f:m": {} } },
  });
  expect(server.managers?.map(({ time }) => time)).toEqual([
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:01:00Z",
    "2026-01-01T00:02:00Z",
  ]);
});

test("a write that changes nothing changes no owner and no time", () => {
  const server = configMap();
  const first = server.update({ data: { k: "1" } });
  expect(server.update({ data: { k: "1" } }, { manager: "m2" })).toEqual(first);
});

test("a removed field is no one's, and who loses all goes", () => {
  const server = configMap();
  server.update({ data: { k: "1" } }, { manager: "u1" });
  server.update({ data: { k: "1" }, immutable: true }, { manager: "u2" });
  server.update({ immutable: true }, { manager: "u3" });
  expect(server.owners).toEqual({ "u2 Update": { "f:immutable": {} } });
});

test("an empty map is a field, as is one that is emptied", () => {
  const server = configMap();
  server.update({ data: {} }, { manager: "u1" });
  expect(server.owners).toEqual({ "u1 Update": { "f:data": {} } });
  server.update({ data: { k: "1" } }, { manager: "u2" });
  server.update({ data: {} }, { manager: "u3" });
  expect(server.owners).toEqual({ "u1 Update": { "f:data": {} } });
});

test("an update takes fields from appliers", () => {
  const server = configMap();
  server.apply({ data: { k: "1", l: "1" } });
  server.update({ ...server.object, data: { k: "2", l: "1" } }, { manager: "u" });
  expect(server.owners).toEqual({
    "m1 Apply": { "f:data": { "f:l": {} } },
    "u Update": { "f:data": { "f:k": {} } },
  });
});

test("a subresource is a manager of its own, and ignores what it cannot change", () => {
  const server = deployment();
  server.update({ spec: { replicas: 1 }, status: { replicas: 9 } });
  server.update({ spec: { replicas: 2 }, status: { replicas: 1 } }, { subresource: "status" });
  expect(server.owners).toEqual({
    "m1 Update": { "f:spec": { "f:replicas": {} } },
    "m1 Update status": { "f:status": { "f:replicas": {} } },
  });
});

test("[{}] clears managedFields, and updates leave them so", () => {
  const server = configMap();
  server.apply({ data: { k: "v" } });
  server.update({ data: { k: "v" }, metadata: { name: "a", managedFields: [{}] } });
  expect(server.managers).toBeUndefined();
  server.update({ data: { k: "w" } });
  expect(server.managers).toBeUndefined();
});

test("a writer may edit managedFields; nonsense is not taken", () => {
  const server = configMap();
  server.update({ data: { k: "v" } });
  const entry = {
    manager: "other",
    operation: "Apply",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { "f:k": {} } },
  };
  server.update({ data: { k: "v" }, metadata: { name: "a", managedFields: [entry] } });
  expect(server.managers).toEqual([entry]);
  const wrong = { ...entry, manager: "third", operation: "Frob" };
  server.update({ data: { k: "v" }, metadata: { name: "a", managedFields: [wrong] } });
  expect(server.managers).toEqual([entry]);
});

test("of many updaters the oldest become one", () => {
  const server = configMap();
  const data: Record<string, string> = {};
  for (let i = 0; i < 14; i++) {
    data[`k${i}`] = "v";
    server.update({ data: { ...data } }, { manager: `u${i}` });
  }
  expect(server.managers).toHaveLength(10);
  expect(server.managers?.[0]).toMatchObject({
    manager: "ancient-changes",
    time: "2026-01-01T00:04:00Z",
    fieldsV1: { "f:data": { ".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}, "f:k4": {} } },
  });
});

test("items that occur twice are tracked as one", () => {
  const server = deployment();
  const spec = (...values: string[]) => ({
    template: { spec: { containers: [{ name: "c", env: values.map((value) => ({ name: "A", value })) }] } },
  });
  server.update({ spec: spec("1", "2") }, { manager: "u1" });
  expect(JSON.stringify(server.owners)).toContain('"k:{\\"name\\":\\"A\\"}":{}');
  server.update({ spec: spec("1", "3") }, { manager: "u2" });
  expect(JSON.stringify(server.owners["u2 Update"])).toContain('"k:{\\"name\\":\\"A\\"}":{}');
});

test("a writer without a name is unknown, and a custom resource's spec is a field", () => {
  const spec = { type: "object", fields: { n: { type: "integer" } } } as const;
  const server = new ObjectServer("example.com/v1", "Thing", { type: "object", fields: { spec } });
  server.update({ spec: { n: 1 } }, { manager: "" });
  expect(server.owners).toEqual({ "unknown Update": { "f:spec": { ".": {}, "f:n": {} } } });
});
