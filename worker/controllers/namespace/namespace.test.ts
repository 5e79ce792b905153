import { expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import { conditionOf } from "../conditions.ts";
import { builtinControllers } from "../index.ts";
import { Model } from "../testing.ts";

const CA = "-----BEGIN CERTIFICATE-----\n";

function cluster(): Model {
  const model = new Model(builtinControllers({ ca: CA, podCIDR: "10.244.0.0/16", nodeMask: 24 }));
  model.create(Namespace, { metadata: { name: "shop" }, spec: {} });
  model.rest();
  return model;
}

const remove = (model: Model) => {
  model.delete(Namespace, { metadata: { name: "shop", uid: model.get(Namespace, "shop")?.metadata.uid } });
  model.rest();
};
const condition = (model: Model, type: string) => conditionOf(model.get(Namespace, "shop")?.status?.conditions, type);

test("every namespace gets the default ServiceAccount and the CA", () => {
  const model = cluster();
  expect(model.get(ServiceAccount, "default", "shop")).toBeDefined();
  expect(model.get(ConfigMap, "kube-root-ca.crt", "shop")?.data).toEqual({ "ca.crt": CA });
});

test("both come back when deleted, and the CA when changed", () => {
  const model = cluster();
  model.delete(ServiceAccount, model.get(ServiceAccount, "default", "shop") ?? {});
  const ca = model.get(ConfigMap, "kube-root-ca.crt", "shop");
  if (ca) model.edit(ConfigMap, ca, (copy) => Object.assign(copy, { data: { "ca.crt": "forged" } }));
  model.rest();
  expect(model.get(ServiceAccount, "default", "shop")).toBeDefined();
  expect(model.get(ConfigMap, "kube-root-ca.crt", "shop")?.data).toEqual({ "ca.crt": CA });
});

test("a deleted namespace goes with all that is in it", () => {
  const model = cluster();
  model.create(Deployment, {
    metadata: { name: "web", namespace: "shop" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "app" }] } },
    },
  });
  model.create(ConfigMap, { metadata: { name: "settings", namespace: "default" } });
  model.rest();
  expect(model.list(Pod)).toHaveLength(3);
  remove(model);
  expect(model.get(Namespace, "shop")).toBeUndefined();
  expect(model.list(Pod)).toEqual([]);
  expect(model.list(Deployment)).toEqual([]);
  expect(model.list(ConfigMap).map(({ metadata }) => metadata.name)).toEqual(["settings"]);
});

test("pods go first; what else there is waits until they are gone, and conditions tell of it", () => {
  const model = cluster();
  model.create(Pod, { metadata: { name: "web", namespace: "shop" }, spec: { containers: [], nodeName: "node-a" } });
  remove(model);
  expect(model.get(Pod, "web", "shop")?.metadata.deletionTimestamp).toBeDefined();
  expect(model.get(ServiceAccount, "default", "shop")?.metadata.deletionTimestamp).toBeUndefined();
  expect(condition(model, "NamespaceContentRemaining")).toMatchObject({
    status: "True",
    reason: "SomeResourcesRemain",
    message: expect.stringContaining("pods. has 1 resource instances"),
  });
  model.endPod(model.get(Pod, "web", "shop") as Pod);
  model.rest();
  expect(model.get(Namespace, "shop")).toBeUndefined();
});

test("a finalizer holds the namespace, and a condition names it", () => {
  const model = cluster();
  const finalizers = ["example.com/backup"];
  model.create(ConfigMap, { metadata: { name: "held", namespace: "shop", finalizers } });
  remove(model);
  expect(condition(model, "NamespaceFinalizersRemaining")).toMatchObject({
    status: "True",
    reason: "SomeFinalizersRemain",
    message: "Some content in the namespace has finalizers remaining: example.com/backup in 1 resource instances",
  });
  const held = model.get(ConfigMap, "held", "shop");
  if (held) model.edit(ConfigMap, held, ({ metadata }) => Object.assign(metadata, { finalizers: [] }));
  model.rest();
  expect(model.get(Namespace, "shop")).toBeUndefined();
});
