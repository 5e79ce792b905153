import { expect, test } from "vitest";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Model } from "../testing.ts";
import { volumeBinder } from "./binder.ts";
import { volumeExpandController } from "./expand.ts";

test("a claim that asks for more is told who has to give it", () => {
  const model = new Model([volumeBinder, volumeExpandController]);
  const accessModes = ["ReadWriteOnce"];
  const sized = (storage: string) => ({ accessModes, resources: { requests: { storage } } });
  model.create(PersistentVolume, {
    metadata: { name: "v" },
    spec: { accessModes, capacity: { storage: "1Gi" }, hostPath: { path: "/data" } },
  });
  model.create(PersistentVolumeClaim, { metadata: { name: "data", namespace: "default" }, spec: sized("1Gi") });
  model.rest();
  const told = () => model.events.filter(({ reason }) => reason === "ExternalExpanding").map(({ message }) => message);
  expect(told()).toEqual([]);
  const claim = model.get(PersistentVolumeClaim, "data");
  if (claim) model.edit(PersistentVolumeClaim, claim, (copy) => Object.assign(copy.spec ?? {}, sized("2Gi")));
  model.rest();
  expect(told()).toEqual(["waiting for an external controller to expand this PVC"]);
});
