import { expect, test } from "vitest";
import { defineKind } from "./define-kind.ts";

const Deployment = defineKind({
  schema: "io.k8s.api.apps.v1.Deployment",
  immutable: ["spec.selector"],
  defaults: {
    "spec.replicas": 1,
    "spec.strategy.type": "RollingUpdate",
    "spec.template.spec.containers[].terminationMessagePath": "/dev/termination-log",
  },
});
const deployment = (fields: { replicas?: number; paused?: boolean; selector?: object } = {}) => ({
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "a" } },
    template: { spec: { containers: [{ name: "c", ports: [{ containerPort: 80 }] }] } },
    ...fields,
  },
});

test("discovery facts come from the generated tables", () => {
  expect(Deployment).toMatchObject({
    group: "apps",
    version: "v1",
    kind: "Deployment",
    resource: "deployments",
    groupResource: "deployments.apps",
    apiVersion: "apps/v1",
    shortNames: ["deploy"],
    categories: ["all"],
    namespaced: true,
    hasGeneration: true,
  });
  expect(Deployment.subresources.find((s) => s.name === "scale")?.body).toEqual({
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
  });
});

test("defaults of the schema, of paths and Go's zero values are filled in, once", () => {
  const object = deployment();
  Deployment.default(object);
  expect(object).toEqual({
    metadata: { name: "web" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "a" } },
      strategy: { type: "RollingUpdate" },
      template: {
        metadata: {},
        spec: {
          containers: [
            {
              name: "c",
              ports: [{ containerPort: 80, protocol: "TCP" }],
              resources: {},
              terminationMessagePath: "/dev/termination-log",
            },
          ],
        },
      },
    },
    status: {},
  });
  const again = structuredClone(object);
  Deployment.default(again);
  expect(again).toEqual(object);
});

test("status is not the user's to write, except on its subresource", () => {
  const created = { ...deployment(), status: { replicas: 9 } };
  Deployment.prepareForCreate(created);
  expect(created.status).toEqual({});

  const old = { ...deployment({ replicas: 1 }), status: { replicas: 1 } };
  const updated = { ...deployment({ replicas: 2 }), status: { replicas: 2 } };
  const plain = structuredClone(updated);
  Deployment.prepareForUpdate(plain, old, "");
  expect([plain.spec.replicas, plain.status.replicas]).toEqual([2, 1]);
  const status = structuredClone(updated);
  Deployment.prepareForUpdate(status, old, "status");
  expect([status.spec.replicas, status.status.replicas]).toEqual([1, 2]);
});

test("generation moves with anything but metadata and status", () => {
  const old = { ...deployment(), status: { replicas: 1 } };
  expect(Deployment.changesGeneration({ ...structuredClone(old), status: {}, metadata: { name: "x" } }, old)).toBe(
    false,
  );
  expect(Deployment.changesGeneration(deployment({ paused: true }), old)).toBe(true);
});

test("an immutable path keeps its value", () => {
  const changed = deployment({ selector: { matchLabels: { app: "b" } } });
  expect([...Deployment.validateUpdate(changed, deployment(), "")]).toEqual([
    {
      field: "spec.selector",
      reason: "FieldValueInvalid",
      message: 'Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    },
  ]);
  expect([...Deployment.validateUpdate(deployment(), deployment(), "")]).toEqual([]);
});

test("field selectors read absent values as zero values", () => {
  const Node = defineKind({ schema: "io.k8s.api.core.v1.Node" });
  const read = Node.fieldSelectors["spec.unschedulable"];
  expect(read?.({ metadata: {}, spec: {} })).toBe("false");
  expect(read?.({ metadata: {}, spec: { unschedulable: true } })).toBe("true");
});
