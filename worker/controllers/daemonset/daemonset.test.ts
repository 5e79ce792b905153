import { describe, expect, test } from "vitest";
import { DaemonSet } from "../../kinds/apps/daemon-set.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodReady } from "../../kinds/core/pod-conditions.ts";
import { forbidden } from "../../lib/status.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { nodeLifecycleController } from "../nodes/node-lifecycle.ts";
import { podGarbageCollector } from "../nodes/pod-gc.ts";
import { Model } from "../testing.ts";
import { daemonSetController } from "./daemonset.ts";

function agent(spec: Partial<DaemonSet["spec"]> = {}, pod: Partial<Pod["spec"]> = {}): DaemonSet {
  return {
    metadata: { name: "agent", namespace: "default" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: {
        metadata: { labels: { app: "agent" } },
        spec: { containers: [{ name: "c", image: "agent:1" }], ...pod },
      },
      ...spec,
    },
  };
}

function cluster(set: DaemonSet, ...nodes: string[]): Model {
  const model = new Model([scheduler(), daemonSetController, nodeLifecycleController, podGarbageCollector()]);
  for (const node of nodes) model.addNode(node);
  model.create(DaemonSet, set);
  model.runPods();
  return model;
}

const nodes = (model: Model) =>
  model
    .list(Pod)
    .filter(isPodActive)
    .map(({ spec }) => spec.nodeName)
    .sort();
const images = (model: Model) => model.list(Pod).map(({ spec }) => spec.containers[0]?.image);
const status = (model: Model) => model.get(DaemonSet, "agent")?.status;
const setImage = (model: Model, image: string) =>
  model.edit(DaemonSet, agent(), ({ spec }) => {
    spec.template.spec = { containers: [{ name: "c", image }] };
  });

describe("a DaemonSet", () => {
  test("has one pod on every node, also on those that come later", () => {
    const model = cluster(agent(), "node-a", "node-b");
    expect(nodes(model)).toEqual(["node-a", "node-b"]);
    model.addNode("node-c");
    model.runPods();
    expect(nodes(model)).toEqual(["node-a", "node-b", "node-c"]);
    expect(status(model)).toEqual({
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
    });
  });

  test("follows labels and taints of nodes", () => {
    const model = cluster(agent({}, { nodeSelector: { disk: "ssd" } }), "node-a", "node-b");
    expect(nodes(model)).toEqual([]);
    const label = (labels: Record<string, string>) => {
      model.edit(Node, { metadata: { name: "node-a" }, spec: {} }, ({ metadata }) =>
        Object.assign(metadata, { labels }),
      );
      model.runPods();
    };
    label({ disk: "ssd", "kubernetes.io/hostname": "node-a" });
    expect(nodes(model)).toEqual(["node-a"]);
    label({ "kubernetes.io/hostname": "node-a" });
    expect(nodes(model)).toEqual([]);
  });

  test("keeps off tainted nodes, but not off cordoned or lost ones", () => {
    const model = cluster(agent(), "node-a", "node-b");
    model.addNode("node-c", {}, (node) => {
      node.spec = { taints: [{ key: "gpu", effect: "NoSchedule" }] };
    });
    model.addNode("node-d", {}, (node) => {
      node.spec = { unschedulable: true };
    });
    model.runPods();
    expect(nodes(model)).toEqual(["node-a", "node-b", "node-d"]);
    model.setNodeReady("node-b", "Unknown");
    model.advance(3_600_000);
    expect(nodes(model)).toEqual(["node-a", "node-b", "node-d"]);
  });

  test("replaces a pod that failed or was deleted", () => {
    const model = cluster(agent(), "node-a");
    const [first] = model.list(Pod);
    if (first) model.setPod(first, "Failed", false);
    model.runPods();
    const [second] = model.list(Pod);
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid);
    if (second) model.delete(Pod, second);
    model.runPods();
    expect(nodes(model)).toEqual(["node-a"]);
    expect(model.list(Pod)[0]?.metadata.uid).not.toBe(second?.metadata.uid);
  });

  test("loses the pods of a node that goes", () => {
    const model = cluster(agent(), "node-a", "node-b");
    model.advance(60_000);
    model.delete(Node, model.get(Node, "node-a") ?? {});
    model.runPods();
    expect(nodes(model)).toEqual(["node-b"]);
    expect(status(model)?.desiredNumberScheduled).toBe(1);
  });
});

describe("a rolling update", () => {
  test("leaves no more than maxUnavailable nodes without a ready pod", () => {
    const model = cluster(agent(), "node-a", "node-b", "node-c");
    model.onWrite = () =>
      expect(model.list(Pod).filter(isPodActive).filter(isPodReady).length).toBeGreaterThanOrEqual(2);
    setImage(model, "agent:2");
    model.runPods();
    expect(images(model)).toEqual(["agent:2", "agent:2", "agent:2"]);
    expect(status(model)?.updatedNumberScheduled).toBe(3);
  });

  test("of OnDelete changes nothing by itself", () => {
    const model = cluster(agent({ updateStrategy: { type: "OnDelete" } }), "node-a", "node-b");
    setImage(model, "agent:2");
    model.runPods();
    expect(images(model)).toEqual(["agent:1", "agent:1"]);
    const [pod] = model.list(Pod);
    if (pod) model.endPod(pod);
    model.runPods();
    expect(images(model).sort()).toEqual(["agent:1", "agent:2"]);
  });
});

test("a quota that refuses pods keeps the status from nothing", () => {
  const model = new Model([daemonSetController]);
  model.admit = (kind, object) =>
    kind.kind === "Pod"
      ? forbidden({ group: "", resource: "pods", name: object.metadata?.name ?? "" }, "exceeded quota: q")
      : undefined;
  model.addNode("node-a");
  model.create(DaemonSet, agent());
  model.rest();
  expect(model.get(DaemonSet, "agent")?.status).toMatchObject({ observedGeneration: 1, desiredNumberScheduled: 1 });
});
