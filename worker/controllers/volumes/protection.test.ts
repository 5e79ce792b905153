import { expect, test } from "vitest";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { VolumeAttributesClass } from "../../kinds/storage/volume-attributes-class.ts";
import { Model } from "../testing.ts";
import { attributesProtectionController, claimProtectionController } from "./protection.ts";

function cluster(nodeName?: string): Model {
  const model = new Model([claimProtectionController]);
  model.create(PersistentVolumeClaim, {
    metadata: { name: "data", namespace: "default", finalizers: ["kubernetes.io/pvc-protection"] },
    spec: { accessModes: ["ReadWriteOnce"] },
  });
  model.create(Pod, {
    metadata: { name: "db", namespace: "default" },
    spec: { nodeName, containers: [], volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }] },
  });
  model.delete(PersistentVolumeClaim, model.get(PersistentVolumeClaim, "data") ?? {});
  model.rest();
  return model;
}

test("a deleted claim stays until the pod that uses it is gone", () => {
  const model = cluster("node-a");
  expect(model.get(PersistentVolumeClaim, "data")).toBeDefined();
  model.endPod(model.get(Pod, "db") as Pod);
  model.rest();
  expect(model.get(PersistentVolumeClaim, "data")).toBeUndefined();
});

test("or has finished", () => {
  const model = cluster("node-a");
  model.setPod(model.get(Pod, "db") as Pod, "Succeeded", false);
  model.rest();
  expect(model.get(PersistentVolumeClaim, "data")).toBeUndefined();
});

test("a pod that was never placed holds nothing", () => {
  expect(cluster().get(PersistentVolumeClaim, "data")).toBeUndefined();
});

test("a deleted class of attributes stays until no claim names it", () => {
  const model = new Model([attributesProtectionController]);
  const metadata = { name: "gold", finalizers: ["kubernetes.io/vac-protection"] };
  model.create(VolumeAttributesClass, { metadata, driverName: "example.com", parameters: { iops: "9" } });
  model.create(PersistentVolumeClaim, {
    metadata: { name: "data", namespace: "default" },
    spec: { accessModes: ["ReadWriteOnce"], volumeAttributesClassName: "gold" },
  });
  model.delete(VolumeAttributesClass, model.get(VolumeAttributesClass, "gold") ?? {});
  model.rest();
  expect(model.get(VolumeAttributesClass, "gold")).toBeDefined();
  model.delete(PersistentVolumeClaim, model.get(PersistentVolumeClaim, "data") ?? {});
  model.rest();
  expect(model.get(VolumeAttributesClass, "gold")).toBeUndefined();
});
