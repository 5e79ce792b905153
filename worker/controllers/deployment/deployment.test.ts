import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodReady } from "../../kinds/core/pod-conditions.ts";
import { forbidden } from "../../lib/status.ts";
import { conditionOf } from "../conditions.ts";
import { replicaSetController } from "../replicaset/replicaset.ts";
import { Model } from "../testing.ts";
import { deploymentController } from "./deployment.ts";

type Strategy = NonNullable<Deployment["spec"]["strategy"]>;

function web(replicas: number, image = "app:1", spec: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "app", image }] },
      },
      ...spec,
    },
  };
}

function cluster(): Model {
  return new Model([deploymentController, replicaSetController]);
}

/** Stands in for the scheduler and the node: bound pods come up ready, deleted ones end. */
function run(model: Model): void {
  for (let round = 0; round < 200; round++) {
    model.rest();
    let busy = false;
    for (const pod of model.list(Pod)) {
      if (!pod.spec.nodeName) bind(model, pod);
      else if (pod.metadata.deletionTimestamp) model.endPod(pod);
      else if (!isPodReady(pod)) model.setPod(pod, "Running", true);
      else continue;
      busy = true;
      break;
    }
    if (!busy) return;
  }
}

function bind(model: Model, { metadata: { namespace = "", name = "", uid = "" } }: Readonly<Pod>): void {
  expect(model.apply({ do: "bind", namespace, name, uid, node: "node-a" })).toBeUndefined();
}

const setImage = (model: Model, image: string) =>
  model.edit(Deployment, web(0), (d) => {
    d.spec.template.spec = { containers: [{ name: "app", image }] };
  });
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

test("maxSurge and maxUnavailable hold at every instant, in whatever order pods come up, go and fail", () => {
  const percent = fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`);
  const bound = fc.oneof(fc.integer({ min: 0, max: 4 }), percent);
  const plan = fc.record({
    replicas: fc.integer({ min: 1, max: 7 }),
    maxSurge: bound,
    maxUnavailable: bound,
    picks: fc.array(fc.nat(), { minLength: 30, maxLength: 80 }),
    rollovers: fc.array(fc.nat({ max: 29 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(plan, ({ replicas, maxSurge, maxUnavailable, picks, rollovers }) => {
      const model = cluster();
      const strategy: Strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
      model.create(Deployment, web(replicas, "app:0", { strategy }));
      run(model);
      const limits = limitsOf(replicas, maxSurge, maxUnavailable);
      let before = replicas;
      let nodeActs = false;
      model.onWrite = () => {
        const active = model.list(Pod).filter(isPodActive);
        expect(active.length).toBeLessThanOrEqual(limits.most);
        const available = active.filter(isPodReady).length;
        // A node may make pods unready; controllers may not take ready ones below the floor.
        if (available < before && !nodeActs) expect(available).toBeGreaterThanOrEqual(limits.least);
        before = available;
      };
      setImage(model, "app:1");
      model.rest();
      picks.forEach((pick, step) => {
        if (rollovers.includes(step)) setImage(model, `app:${step + 2}`);
        nodeActs = true;
        nodeActsOn(model, pick);
        nodeActs = false;
        model.rest();
      });
      run(model);
      expect(get(model).status).toMatchObject({ replicas, updatedReplicas: replicas, availableReplicas: replicas });
      expect(model.list(Pod)).toHaveLength(replicas);
    }),
    { numRuns: 25 },
  );
});

function limitsOf(replicas: number, maxSurge: number | string, maxUnavailable: number | string) {
  const value = (v: number | string, round: (n: number) => number) =>
    typeof v === "number" ? v : round((Number.parseInt(v, 10) * replicas) / 100);
  const surge = value(maxSurge, Math.ceil);
  const unavailable = value(maxUnavailable, Math.floor);
  return { most: replicas + surge, least: replicas - (surge + unavailable === 0 ? 1 : unavailable) };
}

/** One pod, picked by chance, takes its next step: bound, ready, sometimes unready again, gone. */
function nodeActsOn(model: Model, pick: number): void {
  const pods = model.list(Pod);
  const pod = pods[pick % pods.length];
  if (!pod) return;
  if (pod.metadata.deletionTimestamp) model.endPod(pod);
  else if (!pod.spec.nodeName) bind(model, pod);
  else model.setPod(pod, "Running", !isPodReady(pod) || pick % 5 !== 0);
}
