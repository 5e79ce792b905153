import { expect, test } from "vitest";
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { garbageCollector } from "../garbage-collector/garbage-collector.ts";
import { Model } from "../testing.ts";
import { statefulSetController } from "./statefulset.ts";

type Policy = NonNullable<StatefulSet["spec"]["persistentVolumeClaimRetentionPolicy"]>;

function cluster(policy: Policy | undefined) {
  const model = new Model([statefulSetController, garbageCollector, scheduler()]);
  model.addNode("node-a");
  const claimSpec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  model.create(StatefulSet, {
    metadata: { name: "db", namespace: "default" },
    spec: {
      replicas: 2,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "c", image: "db:1" }] } },
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec }],
      ...(policy && { persistentVolumeClaimRetentionPolicy: policy }),
    },
  });
  // Which claims are bound is not the matter here.
  const run = () => {
    for (const pod of model.list(Pod)) if (!pod.spec.nodeName) place(model, pod);
    model.runPods();
  };
  const settle = () => {
    for (let i = 0; i < 5; i++) run();
  };
  settle();
  const scale = (replicas: number) => {
    const set = model.get(StatefulSet, "db") as StatefulSet;
    model.edit(StatefulSet, set, ({ spec }) => Object.assign(spec, { replicas }));
    settle();
  };
  const owners = () =>
    Object.fromEntries(
      model
        .list(PersistentVolumeClaim)
        .map(({ metadata }) => [metadata?.name, metadata?.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`)]),
    );
  const remove = () => {
    model.delete(StatefulSet, model.get(StatefulSet, "db") as StatefulSet);
    settle();
  };
  return { model, scale, owners, remove };
}

function place(model: Model, pod: Readonly<Pod>): void {
  const { name = "", namespace = "", uid = "" } = pod.metadata;
  model.apply({ do: "bind", namespace, name, uid, node: "node-a" }, "scheduler");
}

test("claims outlive their pods and their set where nothing else is said", () => {
  const { scale, owners, remove } = cluster(undefined);
  expect(owners()).toEqual({ "data-db-0": undefined, "data-db-1": undefined });
  scale(1);
  remove();
  expect(Object.keys(owners())).toEqual(["data-db-0", "data-db-1"]);
});

test("claims go with their set, and stay when it is scaled", () => {
  const { scale, owners, remove } = cluster({ whenDeleted: "Delete", whenScaled: "Retain" });
  expect(owners()).toEqual({ "data-db-0": ["StatefulSet db"], "data-db-1": ["StatefulSet db"] });
  scale(1);
  expect(Object.keys(owners())).toHaveLength(2);
  remove();
  expect(owners()).toEqual({});
});

test("claims of pods that are scaled away go with them, and the others with nothing", () => {
  const { scale, owners, remove } = cluster({ whenDeleted: "Retain", whenScaled: "Delete" });
  scale(1);
  expect(owners()).toEqual({ "data-db-0": undefined });
  scale(2);
  expect(Object.keys(owners())).toEqual(["data-db-0", "data-db-1"]);
  remove();
  expect(Object.keys(owners())).toEqual(["data-db-0", "data-db-1"]);
});

test("a policy that changes is kept from then on", () => {
  const { model, owners, remove } = cluster({ whenDeleted: "Retain", whenScaled: "Retain" });
  model.edit(StatefulSet, model.get(StatefulSet, "db") as StatefulSet, ({ spec }) => {
    spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Delete", whenScaled: "Delete" };
  });
  model.rest();
  expect(owners()).toEqual({ "data-db-0": ["StatefulSet db"], "data-db-1": ["StatefulSet db"] });
  remove();
  expect(owners()).toEqual({});
});

test("what somebody else controls is left alone", () => {
  const { model, owners } = cluster({ whenDeleted: "Retain", whenScaled: "Retain" });
  const foreign = { apiVersion: "v1", kind: "ConfigMap", name: "other", uid: "x", controller: true };
  const claim = model.get(PersistentVolumeClaim, "data-db-1") as PersistentVolumeClaim;
  model.edit(PersistentVolumeClaim, claim, ({ metadata }) =>
    Object.assign(metadata ?? {}, { ownerReferences: [foreign] }),
  );
  model.edit(StatefulSet, model.get(StatefulSet, "db") as StatefulSet, ({ spec }) => {
    spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Delete", whenScaled: "Retain" };
  });
  expect(owners()["data-db-1"]).toEqual(["ConfigMap other"]);
});

test("a pod that waits for a claim that somebody deleted gets another", () => {
  const { model } = cluster(undefined);
  const pod = model.get(Pod, "db-1") as Pod;
  model.setPod(pod, "Pending", false);
  const claim = model.get(PersistentVolumeClaim, "data-db-1") as PersistentVolumeClaim;
  model.delete(PersistentVolumeClaim, claim);
  model.rest();
  const next = model.get(PersistentVolumeClaim, "data-db-1");
  expect(next?.metadata?.uid).toBeDefined();
  expect(next?.metadata?.uid).not.toBe(claim.metadata?.uid);
});
