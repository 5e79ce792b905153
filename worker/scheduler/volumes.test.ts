import { describe, expect, test } from "vitest";
import { Model } from "../controllers/testing.ts";
import { volumeBinder } from "../controllers/volumes/binder.ts";
import { PersistentVolume } from "../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../kinds/core/pod.ts";
import { CSINode } from "../kinds/storage/csi-node.ts";
import { StorageClass } from "../kinds/storage/storage-class.ts";
import { scheduler } from "./scheduler.ts";
import { nodeOf, pod, why } from "./testing.ts";

function cluster() {
  const model = new Model([scheduler(), volumeBinder]);
  for (const name of ["node-a", "node-b"]) model.addNode(name);
  const onNode = (node: string) => ({
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }],
    },
  });
  const volume = (name: string, node?: string, storageClassName = "local") => {
    const spec = {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      local: { path: "/data" },
      storageClassName,
    };
    model.create(PersistentVolume, {
      metadata: { name },
      spec: { ...spec, ...(node && { nodeAffinity: onNode(node) }) },
    });
    model.rest();
  };
  const claim = (name: string, storageClassName = "local") => {
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName };
    model.create(PersistentVolumeClaim, { metadata: { name, namespace: "default" }, spec });
    model.rest();
  };
  const storageClass = (name: string, provisioner: string) =>
    model.create(StorageClass, { metadata: { name }, provisioner, volumeBindingMode: "WaitForFirstConsumer" });
  const using = (name: string, ...claims: string[]) => {
    const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
    model.create(
      Pod,
      pod(name, ({ spec }) => Object.assign(spec, { volumes })),
    );
    model.rest();
  };
  const claimNow = (name: string) => model.get(PersistentVolumeClaim, name);
  return { model, volume, claim, storageClass, using, claimNow };
}

describe("a pod with a claim", () => {
  test("waits for the claim, and for its volume", () => {
    const { model, claim, using, volume } = cluster();
    using("db", "data");
    expect(why(model, "db")).toContain('2 persistentvolumeclaim "data" not found');
    claim("data");
    expect(why(model, "db")).toContain("2 pod has unbound immediate PersistentVolumeClaims");
    volume("v");
    expect(nodeOf(model, "db")).toBeDefined();
  });

  test("goes where its volume can be reached", () => {
    const { model, claim, using, volume } = cluster();
    volume("v", "node-b");
    claim("data");
    using("db", "data");
    expect(nodeOf(model, "db")).toBe("node-b");
    volume("w", "node-z");
    claim("far");
    using("lost", "far");
    expect(why(model, "lost")).toContain("2 node(s) didn't match PersistentVolume's node affinity");
  });
});

describe("claims whose class waits for a pod", () => {
  test("are bound to volumes of the node that the pod gets, one each", () => {
    const { model, claim, using, volume, storageClass, claimNow } = cluster();
    storageClass("local", "kubernetes.io/no-provisioner");
    volume("a", "node-a");
    volume("b1", "node-b");
    volume("b2", "node-b");
    claim("one");
    claim("two");
    expect(claimNow("one")?.status?.phase).toBe("Pending");
    using("db", "one", "two");
    expect(nodeOf(model, "db")).toBe("node-b");
    const names = [claimNow("one")?.spec?.volumeName, claimNow("two")?.spec?.volumeName];
    expect(names.toSorted()).toEqual(["b1", "b2"]);
    claim("three");
    claim("four");
    using("other", "three", "four");
    expect(why(model, "other")).toContain("2 node(s) didn't find available persistent volumes to bind");
    expect(claimNow("three")?.spec?.volumeName).toBeUndefined();
  });

  test("ask the provisioner for a volume on that node, and the pod waits for it", () => {
    const { model, claim, using, storageClass, claimNow, volume } = cluster();
    storageClass("disks", "example.com/disks");
    claim("data", "disks");
    using("db", "data");
    expect(nodeOf(model, "db")).toBeUndefined();
    const annotations = claimNow("data")?.metadata?.annotations ?? {};
    expect(annotations["volume.kubernetes.io/storage-provisioner"]).toBe("example.com/disks");
    const chosen = annotations["volume.kubernetes.io/selected-node"] ?? "";
    volume("made", chosen, "disks");
    expect(nodeOf(model, "db")).toBe(chosen);
  });
});

describe("a claim for one pod alone", () => {
  const alone = () => {
    const made = cluster();
    const { model } = made;
    model.create(PersistentVolume, {
      metadata: { name: "v" },
      spec: { storageClassName: "local", accessModes: ["ReadWriteOncePod"], hostPath: { path: "/data" } },
    });
    model.create(PersistentVolumeClaim, {
      metadata: { name: "data", namespace: "default" },
      spec: { storageClassName: "local", volumeName: "v", accessModes: ["ReadWriteOncePod"] },
    });
    model.rest();
    return made;
  };

  test("keeps a second pod waiting until the first is gone", () => {
    const { model, using } = alone();
    using("first", "data");
    using("second", "data");
    expect(nodeOf(model, "first")).toBeDefined();
    expect(why(model, "second")).toContain(
      "0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    );
    const first = model.get(Pod, "first");
    if (first) model.endPod(first);
    model.rest();
    expect(nodeOf(model, "second")).toBeDefined();
  });

  test("is given up by a less important pod for a more important one", () => {
    const { model, using } = alone();
    using("first", "data");
    const where = nodeOf(model, "first");
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    model.create(
      Pod,
      pod("important", ({ spec }) => Object.assign(spec, { volumes, priority: 100 })),
    );
    model.rest();
    expect(model.get(Pod, "first")?.metadata.deletionTimestamp).toBeDefined();
    expect(model.get(Pod, "important")?.status?.nominatedNodeName).toBe(where);
  });
});

test("pods that want to be together are, though the volumes of the first are still being made", () => {
  const { model, claim, storageClass, claimNow } = cluster();
  storageClass("disks", "example.com/disks");
  const podAffinityTerm = { labelSelector: { matchLabels: { app: "db" } }, topologyKey: "kubernetes.io/hostname" };
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [podAffinityTerm] } };
  const names = ["db-0", "db-1", "db-2", "db-3", "db-4", "db-5"];
  for (const name of names) {
    claim(name, "disks");
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: name } }];
    model.create(
      Pod,
      pod(name, ({ spec }) => Object.assign(spec, { volumes, affinity })),
    );
    model.rest();
  }
  const chosen = names.map((name) => claimNow(name)?.metadata?.annotations?.["volume.kubernetes.io/selected-node"]);
  expect(new Set(chosen)).toEqual(new Set([expect.stringMatching(/node-[ab]/)]));
});

test("a node gets no more volumes of a driver than it takes, and those of pods that share one count once", () => {
  const { model, claim, using } = cluster();
  model.create(CSINode, {
    metadata: { name: "node-a" },
    spec: { drivers: [{ name: "disks", nodeID: "a", allocatable: { count: 2 } }] },
  });
  model.create(CSINode, {
    metadata: { name: "node-b" },
    spec: { drivers: [{ name: "disks", nodeID: "b", allocatable: { count: 0 } }] },
  });
  for (const name of ["one", "two", "three"]) {
    model.create(PersistentVolume, {
      metadata: { name },
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        storageClassName: name,
        csi: { driver: "disks", volumeHandle: name },
      },
    });
    claim(name, name);
  }
  using("a", "one");
  using("b", "one", "two");
  using("c", "three");
  using("d", "two");
  expect(["a", "b", "d"].map((name) => nodeOf(model, name))).toEqual(["node-a", "node-a", "node-a"]);
  expect(nodeOf(model, "c")).toBeUndefined();
  expect(why(model, "c")).toContain("2 node(s) exceed max volume count");
});
