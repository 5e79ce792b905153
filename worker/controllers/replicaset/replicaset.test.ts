import { describe, expect, test } from "vitest";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { ReplicationController } from "../../kinds/core/replication-controller.ts";
import { Model } from "../testing.ts";
import { inDeletionOrder } from "./deletion-order.ts";
import { replicaSetController, replicationController } from "./replicaset.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

function set(replicas: number): ReplicaSet {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" }, annotations: { note: "kept" } },
        spec: { containers: [{ name: "c", image: "app" }] },
      },
    },
  };
}

type Traits = { node?: string; phase?: string; readyFor?: number; cost?: string; restarts?: number; age?: number };

/** A placed, running, ready pod, but for what is told. */
function pod(
  name: string,
  { node = "n", phase = "Running", readyFor = 100, cost, restarts = 0, age = 200 }: Traits,
): Pod {
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(age),
      annotations: cost ? { "controller.kubernetes.io/pod-deletion-cost": cost } : {},
    },
    spec: { containers: [], nodeName: node || undefined },
    status: {
      phase,
      conditions: [
        { type: "Ready", status: readyFor < 0 ? "False" : "True", lastTransitionTime: ago(Math.max(0, readyFor)) },
      ],
      containerStatuses: [{ name: "c", image: "", imageID: "", ready: true, restartCount: restarts }],
    },
  };
}

const order = (...pods: Pod[]) => inDeletionOrder(pods, pods, NOW).map((each) => each.metadata.name);

describe("pods are given up in this order:", () => {
  const cases: [rule: string, first: Traits, second: Traits][] = [
    ["those without a node", { node: "" }, { phase: "Pending", readyFor: -1 }],
    ["pending before unknown", { phase: "Pending", readyFor: -1 }, { phase: "Unknown", readyFor: -1 }],
    ["unknown before running", { phase: "Unknown", readyFor: -1 }, { readyFor: -1 }],
    ["unready before ready", { readyFor: -1 }, { cost: "-5" }],
    ["the lower deletion cost", { cost: "-1", readyFor: 1000 }, { readyFor: 1 }],
    ["the later ready, by order of magnitude", { readyFor: 2 }, { readyFor: 1000 }],
    ["the more often restarted", { restarts: 3 }, { restarts: 1 }],
    ["the younger, by order of magnitude", { age: 150, readyFor: 100 }, { age: 5000, readyFor: 100 }],
  ];
  for (const [rule, first, second] of cases)
    test(rule, () => {
      // Their own nodes, so that crowding does not decide; names the wrong way round, so that names do not either.
      const pods = [pod("b", { node: "n1", ...first }), pod("a", { node: "n2", ...second })];
      expect(order(...pods)).toEqual(["b", "a"]);
      expect(order(...pods.toReversed())).toEqual(["b", "a"]);
    });

  test("those that share a node with more of their kind", () => {
    expect(order(pod("a", { node: "n1" }), pod("b", { node: "n2" }), pod("c", { node: "n2" }))).toEqual([
      "b",
      "c",
      "a",
    ]);
  });
});

describe("a ReplicaSet", () => {
  test("makes pods of its template, owned by it and named after it", () => {
    const model = new Model([replicaSetController]);
    model.create(ReplicaSet, set(2));
    model.rest();
    const pods = model.list(Pod);
    expect(pods).toHaveLength(2);
    for (const { metadata } of pods) {
      expect(metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(metadata).toMatchObject({ generateName: "web-", labels: { app: "web" }, annotations: { note: "kept" } });
      expect(metadata.ownerReferences).toMatchObject([
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", controller: true, blockOwnerDeletion: true },
      ]);
    }
    expect(model.events.map(({ reason, message }) => `${reason} ${message}`)).toContain(
      `SuccessfulCreate Created pod: ${pods[0]?.metadata.name}`,
    );
    expect(model.get(ReplicaSet, "web")?.status).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      terminatingReplicas: 0,
      observedGeneration: 1,
    });
  });

  test("replaces pods that fail, are deleted, or succeed", () => {
    const model = new Model([replicaSetController]);
    model.create(ReplicaSet, set(3));
    model.rest();
    const [first, second] = model.list(Pod);
    if (first) model.setPod(first, "Failed", false);
    if (second) model.delete(Pod, second);
    model.rest();
    expect(model.list(Pod).filter(({ status }) => status?.phase !== "Failed")).toHaveLength(3);
  });

  test("adopts a matching pod without a controller instead of making one", () => {
    const model = new Model([replicaSetController]);
    model.create(Pod, {
      metadata: { name: "stray", namespace: "default", labels: { app: "web" } },
      spec: { containers: [] },
    });
    model.create(Pod, {
      metadata: { name: "other", namespace: "default", labels: { app: "db" } },
      spec: { containers: [] },
    });
    model.create(ReplicaSet, set(1));
    model.rest();
    expect(model.list(Pod).map(({ metadata }) => metadata.name)).toEqual(["other", "stray"]);
    expect(model.get(Pod, "stray")?.metadata.ownerReferences?.[0]?.uid).toBe(
      model.get(ReplicaSet, "web")?.metadata.uid,
    );
    expect(model.get(Pod, "other")?.metadata.ownerReferences).toBeUndefined();
  });

  test("releases a pod whose labels no longer match, and makes another", () => {
    const model = new Model([replicaSetController]);
    model.create(ReplicaSet, set(1));
    model.rest();
    const [only] = model.list(Pod);
    if (only) model.edit(Pod, only, ({ metadata }) => Object.assign(metadata, { labels: { app: "debug" } }));
    model.rest();
    expect(model.list(Pod)).toHaveLength(2);
    expect(model.get(Pod, only?.metadata.name ?? "")?.metadata.ownerReferences).toBeUndefined();
  });

  test("on its way out neither makes nor adopts", () => {
    const model = new Model([replicaSetController]);
    const made = set(2);
    made.metadata.finalizers = ["example.com/wait"];
    model.create(ReplicaSet, made);
    model.delete(ReplicaSet, model.get(ReplicaSet, "web") ?? made);
    model.rest();
    expect(model.list(Pod)).toEqual([]);
  });
});

test("a ReplicationController does the same by its plain selector", () => {
  const model = new Model([replicationController]);
  model.create(ReplicationController, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 2,
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "app" }] } },
    },
  });
  model.rest();
  const [first, ...more] = model.list(Pod);
  expect(more).toHaveLength(1);
  expect(first?.metadata.ownerReferences?.[0]).toMatchObject({ apiVersion: "v1", kind: "ReplicationController" });
  if (first) model.edit(Pod, first, ({ metadata }) => Object.assign(metadata, { labels: { app: "debug" } }));
  model.rest();
  expect(model.list(Pod)).toHaveLength(3);
  expect(model.get(ReplicationController, "web")?.status).toEqual({
    replicas: 2,
    fullyLabeledReplicas: 2,
    observedGeneration: 1,
  });
});
