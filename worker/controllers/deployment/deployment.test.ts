import { describe, expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { forbidden } from "../../lib/status.ts";
import { conditionOf } from "../conditions.ts";
import type { Model } from "../testing.ts";
import { cluster, run, setImage, web } from "./testing.ts";

const scale = (model: Model, replicas: number) =>
  model.edit(Deployment, web(0), (d) => {
    d.spec.replicas = replicas;
  });
const get = (model: Model) => model.get(Deployment, "web") as Deployment;
const progressing = (model: Model) => conditionOf(get(model).status?.conditions, "Progressing");
const sizes = (model: Model) =>
  Object.fromEntries(model.list(ReplicaSet).map((set) => [imageOf(set), set.spec.replicas]));
const imageOf = (set: Readonly<ReplicaSet>) => set.spec.template?.spec?.containers[0]?.image ?? "";
const scalings = (model: Model) =>
  model.events.filter((e) => e.reason === "ScalingReplicaSet").map((e) => e.message.replace(/web-\w+/, "RS"));

describe("a new Deployment", () => {
  test("gets one ReplicaSet, named and labelled by the template's hash", () => {
    const model = cluster();
    model.create(Deployment, web(3));
    run(model);
    const [set, ...more] = model.list(ReplicaSet);
    expect(more).toEqual([]);
    const hash = set?.metadata.labels?.["pod-template-hash"];
    expect(set?.metadata.name).toBe(`web-${hash}`);
    expect(set?.spec.selector.matchLabels).toEqual({ app: "web", "pod-template-hash": hash });
    expect(set?.metadata.annotations).toEqual({
      "deployment.kubernetes.io/desired-replicas": "3",
      "deployment.kubernetes.io/max-replicas": "4",
      "deployment.kubernetes.io/revision": "1",
    });
    expect(get(model).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("1");
    expect(scalings(model)).toEqual(["Scaled up replica set RS from 0 to 3"]);
  });

  test("reports the status of a finished rollout", () => {
    const model = cluster();
    model.create(Deployment, web(3));
    run(model);
    expect(get(model).status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      conditions: [
        { type: "Available", status: "True", reason: "MinimumReplicasAvailable" },
        {
          type: "Progressing",
          status: "True",
          reason: "NewReplicaSetAvailable",
          message: expect.stringMatching(/^ReplicaSet "web-\w+" has successfully progressed\.$/),
        },
      ],
    });
    expect(get(model).status).not.toHaveProperty("unavailableReplicas");
  });

  test("is made again under another hash when its ReplicaSet's name is taken", () => {
    const first = cluster();
    first.create(Deployment, web(1));
    first.rest();
    const taken = first.list(ReplicaSet)[0]?.metadata.name;
    const model = cluster();
    model.create(ReplicaSet, {
      metadata: { name: taken, namespace: "default" },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: "other" } },
        template: { metadata: { labels: { app: "other" } } },
      },
    });
    model.create(Deployment, web(1));
    run(model);
    expect(get(model).status?.collisionCount).toBe(1);
    expect(get(model).status?.availableReplicas).toBe(1);
  });
});

describe("scaling", () => {
  test("1 to 10 makes no new ReplicaSet", () => {
    const model = cluster();
    model.create(Deployment, web(1));
    run(model);
    scale(model, 10);
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 10 });
    expect(model.list(Pod)).toHaveLength(10);
    expect(get(model).status?.availableReplicas).toBe(10);
    expect(scalings(model).at(-1)).toBe("Scaled up replica set RS from 1 to 10");
  });

  test("in the middle of a rollout is shared by size", () => {
    const model = cluster();
    model.create(Deployment, web(10, "app:1", { strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }));
    run(model);
    setImage(model, "app:bad");
    model.rest();
    expect(sizes(model)).toEqual({ "app:1": 8, "app:bad": 5 });
    scale(model, 15);
    model.rest();
    expect(sizes(model)).toEqual({ "app:1": 11, "app:bad": 7 });
  });

  test("to 0 takes all sets down", () => {
    const model = cluster();
    model.create(Deployment, web(4));
    run(model);
    setImage(model, "app:2");
    model.rest();
    scale(model, 0);
    run(model);
    expect(model.list(Pod)).toEqual([]);
  });
});

describe("a rolling update", () => {
  test("replaces every pod and keeps the old set, empty, as history", () => {
    const model = cluster();
    model.create(Deployment, web(3));
    run(model);
    setImage(model, "app:2");
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 0, "app:2": 3 });
    expect(get(model).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
    expect(scalings(model).slice(1)).toEqual([
      "Scaled up replica set RS from 0 to 1",
      "Scaled down replica set RS from 3 to 2",
      "Scaled up replica set RS from 1 to 2",
      "Scaled down replica set RS from 2 to 1",
      "Scaled up replica set RS from 2 to 3",
      "Scaled down replica set RS from 1 to 0",
    ]);
  });

  test("undone by its old template reuses the old set under a new revision and remembers the former one", () => {
    const model = cluster();
    model.create(Deployment, web(2));
    run(model);
    setImage(model, "app:2");
    run(model);
    setImage(model, "app:1");
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 2, "app:2": 0 });
    const old = model.list(ReplicaSet).find((set) => imageOf(set) === "app:1");
    expect(old?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
      "deployment.kubernetes.io/revision-history": "1",
    });
    expect(get(model).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
  });

  test("to an image that never gets ready stops within its bounds and gives up at the deadline", () => {
    const model = cluster();
    model.create(Deployment, web(3, "app:1", { progressDeadlineSeconds: 60 }));
    run(model);
    setImage(model, "app:bad");
    model.advance(50_000);
    expect(sizes(model)).toEqual({ "app:1": 3, "app:bad": 1 });
    expect(progressing(model)?.reason).toBe("ReplicaSetUpdated");
    model.advance(30_000);
    expect(progressing(model)).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
    expect(progressing(model)?.message).toMatch(/^ReplicaSet "web-\w+" has timed out progressing\.$/);
    expect(get(model).status?.availableReplicas).toBe(3);
  });

  test("replaces unready old pods first, so that a broken template can be replaced", () => {
    const model = cluster();
    model.create(Deployment, web(3, "app:broken"));
    model.rest();
    setImage(model, "app:2");
    run(model);
    expect(sizes(model)).toEqual({ "app:broken": 0, "app:2": 3 });
  });

  test("waits for minReadySeconds before it counts a pod as a replacement", () => {
    const model = cluster();
    model.create(Deployment, web(2, "app:1", { minReadySeconds: 10 }));
    run(model);
    model.advance(10_000);
    setImage(model, "app:2");
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 2, "app:2": 1 });
    model.advance(10_000);
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 1, "app:2": 2 });
    model.advance(10_000);
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 0, "app:2": 2 });
  });

  test("counts revisions on from the one of a set that it adopts, as exactly as 64 bits are", () => {
    const model = cluster();
    model.create(Deployment, web(1));
    run(model);
    model.edit(ReplicaSet, model.list(ReplicaSet)[0] as ReplicaSet, (set) => {
      set.metadata.annotations = { "deployment.kubernetes.io/revision": "3546343826724305832" };
    });
    setImage(model, "app:2");
    run(model);
    expect(get(model).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3546343826724305833");
  });

  test("keeps revisionHistoryLimit old sets", () => {
    const model = cluster();
    model.create(Deployment, web(1, "app:1", { revisionHistoryLimit: 2 }));
    for (const image of ["app:1", "app:2", "app:3", "app:4", "app:5"]) {
      setImage(model, image);
      run(model);
    }
    expect(sizes(model)).toEqual({ "app:3": 0, "app:4": 0, "app:5": 1 });
  });
});

describe("other ways to roll out", () => {
  test("Recreate starts no new pod while an old one lives", () => {
    const model = cluster();
    model.create(Deployment, web(3, "app:1", { strategy: { type: "Recreate" } }));
    run(model);
    model.onWrite = () => {
      const images = new Set(model.list(Pod).map((pod) => pod.spec.containers[0]?.image));
      expect(images.size).toBeLessThan(2);
    };
    setImage(model, "app:2");
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 0, "app:2": 3 });
    expect(get(model).status?.availableReplicas).toBe(3);
  });

  test("a paused Deployment scales but does not roll; resuming does", () => {
    const model = cluster();
    model.create(Deployment, web(2));
    run(model);
    model.edit(Deployment, web(0), (d) => {
      d.spec.paused = true;
    });
    setImage(model, "app:2");
    scale(model, 4);
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 4 });
    expect(progressing(model)).toMatchObject({ status: "Unknown", reason: "DeploymentPaused" });
    model.edit(Deployment, web(0), (d) => {
      d.spec.paused = false;
    });
    run(model);
    expect(sizes(model)).toEqual({ "app:1": 0, "app:2": 4 });
    expect(progressing(model)?.reason).toBe("NewReplicaSetAvailable");
  });

  test("quota that refuses pods shows as ReplicaFailure on both", () => {
    const model = cluster();
    model.admit = (kind, object) =>
      kind.kind === "Pod"
        ? forbidden({ group: "", resource: "pods", name: object.metadata?.name ?? "" }, "exceeded quota: q")
        : undefined;
    model.create(Deployment, web(1));
    model.rest();
    const failure = conditionOf(get(model).status?.conditions, "ReplicaFailure");
    expect(failure).toMatchObject({ status: "True", reason: "FailedCreate" });
    expect(failure?.message).toMatch(/^pods "web-\w+-\w{5}" is forbidden: exceeded quota: q$/);
    expect(model.events.find((e) => e.reason === "FailedCreate")?.message).toMatch(/^Error creating: pods /);
    model.admit = () => undefined;
    model.advance(60_000);
    expect(conditionOf(get(model).status?.conditions, "ReplicaFailure")).toBeUndefined();
    expect(model.list(Pod)).toHaveLength(1);
  });

  test("deleting the Deployment's set brings it back", () => {
    const model = cluster();
    model.create(Deployment, web(1));
    run(model);
    const [set] = model.list(ReplicaSet);
    if (set) model.delete(ReplicaSet, set);
    run(model);
    expect(model.list(ReplicaSet)).toHaveLength(1);
    expect(model.list(ReplicaSet)[0]?.metadata.uid).not.toBe(set?.metadata.uid);
  });
});
