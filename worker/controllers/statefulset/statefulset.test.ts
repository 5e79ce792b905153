import { describe, expect, test } from "vitest";
import { ControllerRevision } from "../../kinds/apps/controller-revision.ts";
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodReady } from "../../kinds/core/pod-conditions.ts";
import { forbidden } from "../../lib/status.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { Model } from "../testing.ts";
import { statefulSetController } from "./statefulset.ts";

function db(replicas: number, spec: Partial<StatefulSet["spec"]> = {}): StatefulSet {
  return {
    metadata: { name: "db", namespace: "default" },
    spec: {
      replicas,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "c", image: "db:1" }] } },
      ...spec,
    },
  };
}

function cluster(set: StatefulSet): Model {
  const model = new Model([scheduler(), statefulSetController]);
  model.addNode("node-a");
  model.create(StatefulSet, set);
  model.rest();
  return model;
}

const names = (model: Model) => model.list(Pod).map(({ metadata }) => metadata.name);
const images = (model: Model) =>
  Object.fromEntries(model.list(Pod).map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image]));
const edit = (model: Model, change: (set: StatefulSet) => void) => {
  model.edit(StatefulSet, db(0), change);
  model.rest();
};
const setImage = (model: Model, image: string) =>
  edit(model, ({ spec }) => {
    spec.template.spec = { containers: [{ name: "c", image }] };
  });
const status = (model: Model) => model.get(StatefulSet, "db")?.status;
const up = (model: Model, name: string) => {
  model.setPod(model.get(Pod, name) as Pod, "Running", true);
  model.rest();
};
const end = (model: Model, name: string) => {
  model.endPod(model.get(Pod, name) as Pod);
  model.rest();
};

describe("pods come", () => {
  test("one after the other, each when the one before is ready, with names that last", () => {
    const model = cluster(db(3));
    expect(names(model)).toEqual(["db-0"]);
    up(model, "db-0");
    expect(names(model)).toEqual(["db-0", "db-1"]);
    model.runPods();
    expect(names(model)).toEqual(["db-0", "db-1", "db-2"]);
    expect(model.get(Pod, "db-1")).toMatchObject({
      metadata: { labels: { "statefulset.kubernetes.io/pod-name": "db-1", "apps.kubernetes.io/pod-index": "1" } },
      spec: { hostname: "db-1", subdomain: "db" },
    });
    expect(status(model)).toMatchObject({ replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 });
  });

  test("all at once when Parallel", () => {
    expect(names(cluster(db(3, { podManagementPolicy: "Parallel" })))).toEqual(["db-0", "db-1", "db-2"]);
  });

  test("from the ordinal that was given", () => {
    const model = cluster(db(2, { ordinals: { start: 5 } }));
    model.runPods();
    expect(names(model)).toEqual(["db-5", "db-6"]);
  });

  test("with claims of their own, which stay when they go", () => {
    const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } };
    const model = cluster(db(1, { volumeClaimTemplates: [claim] }));
    const kind = model.view.kind("v1", "PersistentVolumeClaim");
    if (!kind) throw new Error("no claims served");
    expect(model.get(Pod, "db-0")?.spec.volumes).toEqual([
      { name: "data", persistentVolumeClaim: { claimName: "data-db-0" } },
    ]);
    edit(model, ({ spec }) => Object.assign(spec, { replicas: 0 }));
    expect(names(model)).toEqual([]); // no volume, so no node that would have to let go
    expect(model.list(kind).map(({ metadata }) => metadata?.name)).toEqual(["data-db-0"]);
  });

  test("again when they fail, but never two of one name", () => {
    const model = cluster(db(2));
    model.runPods();
    const uid = model.get(Pod, "db-0")?.metadata.uid;
    model.delete(Pod, model.get(Pod, "db-0") as Pod);
    model.rest();
    expect(model.get(Pod, "db-0")?.metadata.uid).toBe(uid);
    end(model, "db-0");
    expect(model.get(Pod, "db-0")?.metadata.uid).not.toBe(uid);
    model.setPod(model.get(Pod, "db-1") as Pod, "Failed", false);
    model.runPods();
    expect(names(model)).toEqual(["db-0", "db-1"]);
    expect(model.list(Pod).every(isPodReady)).toBe(true);
  });
});

test("pods go from the last, one at a time", () => {
  const model = cluster(db(3));
  model.runPods();
  edit(model, ({ spec }) => Object.assign(spec, { replicas: 1 }));
  const leaving = () =>
    model
      .list(Pod)
      .filter(({ metadata }) => metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name);
  expect(leaving()).toEqual(["db-2"]);
  end(model, "db-2");
  expect(leaving()).toEqual(["db-1"]);
  model.runPods();
  expect(names(model)).toEqual(["db-0"]);
});

test("pods that are not well halt a scale-down, but for the lowest of them", () => {
  const model = cluster(db(3));
  model.runPods();
  const down = (name: string) => model.setPod(model.get(Pod, name) as Pod, "Running", false);
  for (const name of names(model)) down(name ?? "");
  edit(model, (set) => {
    set.spec.replicas = 0;
  });
  model.advance(60_000);
  expect(names(model)).toEqual(["db-0", "db-1", "db-2"]);
  expect(model.list(Pod).every(({ metadata }) => !metadata.deletionTimestamp)).toBe(true);
  up(model, "db-2");
  end(model, "db-2");
  expect(names(model)).toEqual(["db-0", "db-1"]);
  up(model, "db-1");
  end(model, "db-1");
  end(model, "db-0");
  expect(names(model)).toEqual([]);
});

test("a quota that refuses pods keeps the status from nothing", () => {
  const model = new Model([statefulSetController]);
  model.admit = (kind, object) =>
    kind.kind === "Pod"
      ? forbidden({ group: "", resource: "pods", name: object.metadata?.name ?? "" }, "exceeded quota: q")
      : undefined;
  model.create(StatefulSet, db(1));
  model.rest();
  expect(status(model)).toMatchObject({ observedGeneration: 1, replicas: 0 });
  expect(model.events.some(({ reason }) => reason === "FailedCreate")).toBe(true);
});

describe("a rolling update", () => {
  test("goes from the last to the first, each when the one above is ready", () => {
    const model = cluster(db(3));
    model.runPods();
    setImage(model, "db:2");
    end(model, "db-2");
    expect(images(model)).toEqual({ "db-0": "db:1", "db-1": "db:1", "db-2": "db:2" });
    expect(model.list(Pod).some(({ metadata }) => metadata.deletionTimestamp)).toBe(false);
    model.runPods();
    expect(images(model)).toEqual({ "db-0": "db:2", "db-1": "db:2", "db-2": "db:2" });
    expect(status(model)?.currentRevision).toBe(status(model)?.updateRevision);
    expect(model.list(ControllerRevision)).toHaveLength(2);
  });

  test("stops at the partition, and pods below it come back as they were", () => {
    const model = cluster(db(3, { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } }));
    model.runPods();
    setImage(model, "db:2");
    model.runPods();
    expect(images(model)).toEqual({ "db-0": "db:1", "db-1": "db:1", "db-2": "db:2" });
    end(model, "db-0");
    model.runPods();
    expect(images(model)["db-0"]).toBe("db:1");
    expect(status(model)).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 });
  });

  test("that is undone uses the old revision again", () => {
    const model = cluster(db(1));
    model.runPods();
    const first = status(model)?.updateRevision;
    setImage(model, "db:2");
    model.runPods();
    setImage(model, "db:1");
    model.runPods();
    expect(images(model)).toEqual({ "db-0": "db:1" });
    expect(status(model)?.updateRevision).toBe(first);
    expect(
      model
        .list(ControllerRevision)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([2, 3]);
  });

  test("of OnDelete waits for someone to delete", () => {
    const model = cluster(db(2, { updateStrategy: { type: "OnDelete" } }));
    model.runPods();
    setImage(model, "db:2");
    model.runPods();
    expect(images(model)).toEqual({ "db-0": "db:1", "db-1": "db:1" });
    end(model, "db-1");
    model.runPods();
    expect(images(model)).toEqual({ "db-0": "db:1", "db-1": "db:2" });
  });
});

test("a set that is going does not make its revisions anew while they are collected", () => {
  const model = cluster(db(0));
  const [revision] = model.list(ControllerRevision);
  edit(model, ({ metadata }) => {
    metadata.finalizers = ["foregroundDeletion"];
    metadata.deletionTimestamp = "2026-01-02T03:04:05Z";
  });
  if (revision) model.delete(ControllerRevision, revision);
  model.rest();
  expect(model.list(ControllerRevision)).toEqual([]);
});
