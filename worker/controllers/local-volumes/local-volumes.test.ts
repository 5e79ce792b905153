import { expect, test } from "vitest";
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { StorageClass } from "../../kinds/storage/storage-class.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { nodeOf, pod, why } from "../../scheduler/testing.ts";
import { storageModel } from "./testing.ts";

const PROTECTED = { finalizers: ["kubernetes.io/pvc-protection"] };

function cluster(storageClass: Partial<StorageClass> = {}) {
  const model = storageModel(scheduler(), storageClass);
  const claim = (name: string, spec: object = {}) => {
    const wanted = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    const made = { storageClassName: "local-path", ...wanted, ...spec };
    model.create(PersistentVolumeClaim, { metadata: { name, namespace: "default", ...PROTECTED }, spec: made });
    model.rest();
  };
  const using = (name: string, claimName: string, node?: string) => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName } }];
    model.create(
      Pod,
      pod(name, ({ spec }) =>
        Object.assign(spec, { volumes }, node && { nodeSelector: { "kubernetes.io/hostname": node } }),
      ),
    );
    model.rest();
  };
  const claimNow = (name: string) => model.get(PersistentVolumeClaim, name);
  const volumeOf = (name: string) => model.get(PersistentVolume, claimNow(name)?.spec?.volumeName ?? "");
  const said = (name: string) =>
    model.events.flatMap(({ about, reason, message }) => (about.endsWith(`/${name}`) ? [`${reason}: ${message}`] : []));
  const letGo = (podName: string, claimName: string) => {
    const gone = model.get(Pod, podName);
    if (gone) model.endPod(gone);
    const left = claimNow(claimName);
    if (left) model.delete(PersistentVolumeClaim, left);
    model.rest();
  };
  const removedBy = (node: string, ...names: string[]) => {
    const found = model.get(Node, node);
    if (!found) throw new Error(`no ${node}`);
    model.edit(Node, found, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, "skerry.dev/volumes-removed": names.join() };
    });
    model.rest();
  };
  return { model, claim, using, claimNow, volumeOf, said, letGo, removedBy };
}

test("a claim gets a volume on the node that its pod is for", () => {
  const { model, claim, using, claimNow, volumeOf, said } = cluster();
  claim("data");
  expect(claimNow("data")?.status?.phase).toBe("Pending");
  expect(said("data").at(-1)).toContain("WaitForFirstConsumer");
  using("db", "data", "node-b");
  expect(nodeOf(model, "db")).toBe("node-b");
  const uid = claimNow("data")?.metadata?.uid;
  expect(claimNow("data")).toMatchObject({ status: { phase: "Bound", capacity: { storage: "1Gi" } } });
  expect(volumeOf("data")).toMatchObject({
    metadata: {
      name: `pvc-${uid}`,
      annotations: { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", "skerry.dev/node": "node-b" },
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      claimRef: { namespace: "default", name: "data", uid },
      local: { path: `/var/lib/node-b/volumes/pvc-${uid}_default_data` },
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName: "local-path",
    },
    status: { phase: "Bound" },
  });
  expect(said("data").slice(1)).toEqual([
    expect.stringContaining("ExternalProvisioning: Waiting for a volume to be created"),
    'Provisioning: External provisioner is provisioning volume for claim "default/data"',
    `ProvisioningSucceeded: Successfully provisioned volume pvc-${uid}`,
  ]);
  // Whoever uses it next goes where it is.
  using("reader", "data");
  expect(nodeOf(model, "reader")).toBe("node-b");
  using("elsewhere", "data", "node-a");
  expect(why(model, "elsewhere")).toContain("1 node(s) didn't match PersistentVolume's node affinity");
});

test("a volume is deleted when its node has removed the data, and not before", () => {
  const { model, claim, using, volumeOf, letGo, removedBy } = cluster();
  claim("data");
  using("db", "data", "node-a");
  const name = volumeOf("data")?.metadata?.name ?? "";
  letGo("db", "data");
  const volume = () => model.get(PersistentVolume, name);
  expect(volume()?.status?.phase).toBe("Released");
  removedBy("node-b", name); // has no say in it
  expect(volume()?.status?.phase).toBe("Released");
  const left = volume();
  if (left) model.delete(PersistentVolume, left);
  model.rest();
  expect(volume()?.metadata?.deletionTimestamp).toBeDefined();
  removedBy("node-a", "pvc-other", name);
  expect(volume()).toBeUndefined();
});

test("a node that is away is waited for, and one that is gone for ever is not", () => {
  const { model, claim, using, volumeOf, letGo, said } = cluster();
  claim("data");
  using("db", "data", "node-a");
  const name = volumeOf("data")?.metadata?.name ?? "";
  model.setNodeReady("node-a", "Unknown");
  letGo("db", "data");
  expect(model.get(PersistentVolume, name)?.status?.phase).toBe("Released");
  expect(said(name)).toEqual(['VolumeFailedDelete: node "node-a" is not ready: the volume is deleted when it is back']);
  const node = model.get(Node, "node-a");
  if (node) model.delete(Node, node);
  model.rest();
  expect(model.get(PersistentVolume, name)).toBeUndefined();
  expect(said(name).at(-1)).toBe('VolumeFailedDelete: node "node-a" is gone, and with it the data');
});

test("a volume that is to be kept is, until somebody wants it otherwise", () => {
  const { model, claim, using, volumeOf, letGo, removedBy } = cluster({ reclaimPolicy: "Retain" });
  claim("data");
  using("db", "data", "node-a");
  const name = volumeOf("data")?.metadata?.name ?? "";
  letGo("db", "data");
  removedBy("node-a", name);
  const volume = model.get(PersistentVolume, name);
  expect(volume).toMatchObject({ status: { phase: "Released" } });
  expect(volume?.metadata?.finalizers).toBeUndefined();
  if (volume)
    model.edit(PersistentVolume, volume, ({ spec }) => {
      if (spec) spec.persistentVolumeReclaimPolicy = "Delete";
    });
  model.rest();
  expect(model.get(PersistentVolume, name)).toBeUndefined();
});

test("a claim that asks for more gets it", () => {
  const { model, claim, using, claimNow, volumeOf, said } = cluster();
  claim("data");
  using("db", "data", "node-a");
  const before = claimNow("data");
  if (before)
    model.edit(PersistentVolumeClaim, before, ({ spec }) => {
      if (spec) spec.resources = { requests: { storage: "2Gi" } };
    });
  model.rest();
  expect(volumeOf("data")?.spec?.capacity).toEqual({ storage: "2Gi" });
  expect(claimNow("data")?.status).toMatchObject({
    capacity: { storage: "2Gi" },
    allocatedResources: { storage: "2Gi" },
  });
  expect(said("data").slice(-2)).toEqual([
    `Resizing: External resizer skerry.dev/local is resizing volume ${claimNow("data")?.spec?.volumeName}`,
    "VolumeResizeSuccessful: Resize volume succeeded",
  ]);
});

test.each<[string, object]>([
  ["access mode ReadWriteMany is not supported", { accessModes: ["ReadWriteMany"] }],
  ["volumeMode Block is not supported", { volumeMode: "Block" }],
  ["claim Selector is not supported", { selector: { matchLabels: { a: "b" } } }],
])("what cannot be made is told: %s", (message, spec) => {
  const { model, claim, using, said } = cluster();
  claim("data", spec);
  using("db", "data");
  expect(said("data").at(-1)).toContain(
    `ProvisioningFailed: failed to provision volume with StorageClass "local-path": ${message}`,
  );
  expect(nodeOf(model, "db")).toBeUndefined();
});

test("another node is chosen when the one that was is gone", () => {
  const { model, claim, claimNow, using } = cluster();
  claim("data");
  const before = claimNow("data");
  const annotations = {
    "volume.kubernetes.io/selected-node": "node-x",
    "volume.kubernetes.io/storage-provisioner": "skerry.dev/local",
    "volume.beta.kubernetes.io/storage-provisioner": "skerry.dev/local",
  };
  if (before)
    model.edit(PersistentVolumeClaim, before, ({ metadata }) => Object.assign(metadata ?? {}, { annotations }));
  model.rest();
  using("db", "data");
  expect(nodeOf(model, "db")).toMatch(/node-[ab]/);
  expect(claimNow("data")?.status?.phase).toBe("Bound");
});
