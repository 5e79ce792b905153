import { expect, test } from "vitest";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { StorageClass } from "../../kinds/storage/storage-class.ts";
import { Model } from "../testing.ts";
import { volumeBinder } from "./binder.ts";

function cluster() {
  const model = new Model([volumeBinder]);
  const volume = (name: string, spec: object = {}, labels: Record<string, string> = {}) => {
    const plain = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } };
    model.create(PersistentVolume, { metadata: { name, labels }, spec: { ...plain, ...spec } });
    model.rest();
  };
  const claim = (name: string, spec: object = {}, size = "1Gi") => {
    const plain = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: size } } };
    model.create(PersistentVolumeClaim, { metadata: { name, namespace: "default" }, spec: { ...plain, ...spec } });
    model.rest();
  };
  const storageClass = (name: string, provisioner: string, volumeBindingMode = "Immediate") => {
    model.create(StorageClass, { metadata: { name }, provisioner, volumeBindingMode });
    model.rest();
  };
  const removeClaim = (name: string) => {
    model.delete(PersistentVolumeClaim, model.get(PersistentVolumeClaim, name) ?? {});
    model.rest();
  };
  const claimNow = (name: string) => model.get(PersistentVolumeClaim, name);
  const volumeNow = (name: string) => model.get(PersistentVolume, name);
  const bound = (name: string) => [claimNow(name)?.status?.phase, claimNow(name)?.spec?.volumeName];
  return { model, volume, claim, storageClass, removeClaim, claimNow, volumeNow, bound };
}

test("a claim gets the smallest volume that does, whichever of them comes first", () => {
  const { volume, claim, claimNow, volumeNow, bound } = cluster();
  volume("small", { capacity: { storage: "500Mi" } });
  volume("big", { capacity: { storage: "10Gi" } });
  volume("right", { capacity: { storage: "2Gi" } });
  claim("data");
  expect(bound("data")).toEqual(["Bound", "right"]);
  expect(claimNow("data")?.status).toMatchObject({ capacity: { storage: "2Gi" }, accessModes: ["ReadWriteOnce"] });
  expect(claimNow("data")?.metadata?.annotations).toEqual({
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
  });
  expect(volumeNow("right")).toMatchObject({
    spec: { claimRef: { namespace: "default", name: "data", uid: claimNow("data")?.metadata?.uid } },
    status: { phase: "Bound" },
  });
  expect(volumeNow("small")?.status?.phase).toBe("Available");
  claim("late", {}, "20Gi");
  expect(bound("late")).toEqual(["Pending", undefined]);
  volume("huge", { capacity: { storage: "20Gi" } });
  expect(bound("late")).toEqual(["Bound", "huge"]);
});

test.each([
  ["class", { storageClassName: "fast" }, {}],
  ["access mode", {}, { accessModes: ["ReadWriteMany"] }],
  ["volume mode", { volumeMode: "Block" }, {}],
  ["label", {}, { selector: { matchLabels: { disk: "ssd" } } }],
])("a volume of another %s is none for it", (_, volumeSpec, claimSpec) => {
  const { volume, claim, bound } = cluster();
  volume("v", volumeSpec);
  claim("c", claimSpec);
  expect(bound("c")).toEqual(["Pending", undefined]);
});

test("a volume that a user keeps for a claim waits for it, and a claim may name its volume", () => {
  const { volume, claim, volumeNow, bound } = cluster();
  volume("kept", { claimRef: { namespace: "default", name: "mine" } });
  volume("named", { storageClassName: "other" });
  expect(volumeNow("kept")?.status?.phase).toBe("Available");
  claim("other");
  expect(bound("other")).toEqual(["Pending", undefined]);
  claim("mine");
  expect(bound("mine")).toEqual(["Bound", "kept"]);
  expect(volumeNow("kept")?.metadata?.annotations).not.toHaveProperty("pv.kubernetes.io/bound-by-controller");
  claim("chooser", { volumeName: "named", storageClassName: "other" });
  expect(bound("chooser")).toEqual(["Bound", "named"]);
  claim("late", { volumeName: "kept" });
  expect(bound("late")).toEqual(["Pending", "kept"]);
});

test("of two claims for one volume one gets it", () => {
  const { model, volume, claim } = cluster();
  claim("a");
  claim("b");
  volume("v");
  const phases = model.list(PersistentVolumeClaim).map(({ status }) => status?.phase);
  expect(phases.toSorted()).toEqual(["Bound", "Pending"]);
});

test("a volume whose claim is gone is released, and not bound again", () => {
  const { volume, claim, removeClaim, volumeNow, bound } = cluster();
  volume("v", { persistentVolumeReclaimPolicy: "Retain" });
  claim("data");
  removeClaim("data");
  expect(volumeNow("v")?.status?.phase).toBe("Released");
  claim("data");
  expect(bound("data")).toEqual(["Pending", undefined]);
});

test("a volume that was made by hand cannot be deleted by anyone; one of a provisioner is left to it", () => {
  const { model, volume, claim, removeClaim, volumeNow } = cluster();
  const policy = { persistentVolumeReclaimPolicy: "Delete" };
  volume("byhand", policy);
  claim("one");
  volume("made", policy);
  model.edit(PersistentVolume, volumeNow("made") as PersistentVolume, ({ metadata }) =>
    Object.assign(metadata ?? {}, { annotations: { "pv.kubernetes.io/provisioned-by": "example.com/disks" } }),
  );
  claim("two");
  removeClaim("one");
  removeClaim("two");
  expect([volumeNow("byhand")?.status?.phase, volumeNow("made")?.status?.phase]).toEqual(["Failed", "Released"]);
});

test("a claim that loses its volume is lost", () => {
  const { model, volume, claim, volumeNow, bound } = cluster();
  volume("v");
  claim("data");
  model.delete(PersistentVolume, volumeNow("v") ?? {});
  model.rest();
  expect(bound("data")).toEqual(["Lost", "v"]);
});

test.each<[string, object, object]>([
  ["requested PV is too small", { capacity: { storage: "1Mi" } }, {}],
  ["storageClassName does not match", { storageClassName: "other" }, {}],
  ["incompatible volumeMode", {}, { volumeMode: "Block" }],
  ["incompatible accessMode", {}, { accessModes: ["ReadWriteMany"] }],
])("a claim that names a volume that is none for it is told why: %s", (why, of, wanted) => {
  const { model, volume, claim, volumeNow, bound } = cluster();
  volume("named", of);
  claim("chooser", { volumeName: "named", ...wanted });
  expect(bound("chooser")).toEqual(["Pending", "named"]);
  expect(model.events.at(-1)).toMatchObject({
    reason: "VolumeMismatch",
    message: `Cannot bind to requested volume "named": ${why}`,
  });
  const found = volumeNow("named");
  const fits = { capacity: { storage: "1Gi" }, storageClassName: "", ...wanted };
  if (found) model.edit(PersistentVolume, found, (copy) => Object.assign(copy.spec ?? {}, fits));
  model.rest();
  expect(bound("chooser")).toEqual(["Bound", "named"]);
});

test.each<[string, string, object]>([
  [
    "VolumeFailedDelete",
    'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
    { hostPath: undefined, local: { path: "/data" }, persistentVolumeReclaimPolicy: "Delete" },
  ],
  [
    "VolumeFailedDelete",
    "host_path deleter only supports /tmp/.+ but received provided /data",
    { persistentVolumeReclaimPolicy: "Delete" },
  ],
  ["VolumeFailedRecycle", "No recycler plugin found for the volume!", { persistentVolumeReclaimPolicy: "Recycle" }],
])("a volume made by hand is not deleted with its claim: %s, %s", (reason, message, spec) => {
  const { model, volume, claim, removeClaim, volumeNow } = cluster();
  volume("v", spec);
  claim("data");
  removeClaim("data");
  expect(volumeNow("v")?.status).toMatchObject({ phase: "Failed", message });
  expect(model.events.at(-1)).toMatchObject({ type: "Warning", reason, message });
});

test("a claim that waits for a pod tells of one that has no node to go to", () => {
  const { model, storageClass, claim } = cluster();
  storageClass("local", "example.com/local", "WaitForFirstConsumer");
  claim("data", { storageClassName: "local" });
  expect(model.events.at(-1)?.reason).toBe("WaitForFirstConsumer");
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
  const pod = { metadata: { name: "db", namespace: "default" }, spec: { containers: [], volumes } };
  model.create(Pod, pod);
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }];
  model.edit(Pod, pod, (copy) => Object.assign(copy, { status: { conditions } }), "status");
  model.rest();
  expect(model.events.at(-1)).toMatchObject({
    reason: "WaitForPodScheduled",
    message: "waiting for pod db to be scheduled",
  });
});

test("a provisioner is asked for a volume of its class; a class that waits for a pod asks nobody yet", () => {
  const { storageClass, claim, claimNow, volume, bound } = cluster();
  storageClass("disks", "example.com/disks");
  storageClass("local", "example.com/local", "WaitForFirstConsumer");
  claim("a", { storageClassName: "disks" });
  expect(claimNow("a")?.metadata?.annotations).toMatchObject({
    "volume.kubernetes.io/storage-provisioner": "example.com/disks",
  });
  volume("v", { storageClassName: "local" });
  claim("b", { storageClassName: "local" });
  expect(bound("b")).toEqual(["Pending", undefined]);
  expect(claimNow("b")?.metadata?.annotations).toBeUndefined();
});

test("a claim of no class gets the cluster's, also when that comes later; one that wants none keeps none", () => {
  const { model, claim, claimNow } = cluster();
  claim("early");
  claim("none", { storageClassName: "" });
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  model.create(StorageClass, { metadata: { name: "all", annotations }, provisioner: "example.com/disks" });
  model.rest();
  expect([claimNow("early")?.spec?.storageClassName, claimNow("none")?.spec?.storageClassName]).toEqual(["all", ""]);
});

test("a bound claim has its volume's class of attributes and size, and what a resizer makes of them stays", () => {
  const { model, volume, claim, claimNow } = cluster();
  volume("gold", { volumeAttributesClassName: "gold" });
  claim("data", { volumeAttributesClassName: "gold" });
  expect(claimNow("data")?.status).toMatchObject({ phase: "Bound", currentVolumeAttributesClassName: "gold" });
  const status = { currentVolumeAttributesClassName: "silver", capacity: { storage: "2Gi" } };
  const now = claimNow("data") as PersistentVolumeClaim;
  model.edit(PersistentVolumeClaim, now, (copy) => Object.assign(copy.status ?? {}, status), "status");
  model.rest();
  expect(claimNow("data")?.status).toMatchObject({ phase: "Bound", ...status });
});
