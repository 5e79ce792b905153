import { describe, expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodReady } from "../../kinds/core/pod-conditions.ts";
import type { IPv6Ranges } from "../../lib/config.ts";
import { timestamp } from "../../lib/effects.ts";
import { scheduler } from "../../scheduler/scheduler.ts";
import { conditionOf } from "../conditions.ts";
import { builtinControllers } from "../index.ts";
import { Model } from "../testing.ts";
import { podGarbageCollector } from "./pod-gc.ts";

const config = { ca: "", podCIDR: "10.244.0.0/16", nodeMask: 24 };
const SECOND = 1000;

function cluster(nodes: number, podCIDR = config.podCIDR, ipv6?: IPv6Ranges): Model {
  const model = new Model([scheduler(), ...builtinControllers({ ...config, podCIDR, ...(ipv6 && { ipv6 }) })]);
  for (let i = 0; i < nodes; i++) model.addNode(name(i));
  model.rest();
  return model;
}

const name = (i: number) => `node-${String.fromCharCode(97 + i)}`;
const taints = (model: Model, node: string) =>
  (model.get(Node, node)?.spec?.taints ?? []).map(({ key, effect }) => `${key.split("/").at(-1)}:${effect}`);

/** Pods that tolerate a lost node for this long, as the API gives it to every pod. */
function web(replicas: number, tolerationSeconds = 300): Deployment {
  const tolerations = ["not-ready", "unreachable"].map((key) => ({
    key: `node.kubernetes.io/${key}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds,
  }));
  return {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "c", image: "app" }], tolerations },
      },
    },
  };
}

const podsOn = (model: Model, node: string) => model.list(Pod).filter(({ spec }) => spec.nodeName === node);

describe("a node that is lost", () => {
  test("is tainted first, and its pods are unready at once", () => {
    const model = cluster(2);
    model.create(Deployment, web(4));
    model.runPods();
    model.setNodeReady("node-a", "Unknown");
    model.rest();
    expect(taints(model, "node-a")).toEqual(["unreachable:NoSchedule", "unreachable:NoExecute"]);
    expect(podsOn(model, "node-a")).toHaveLength(2);
    expect(podsOn(model, "node-a").some(isPodReady)).toBe(false);
    expect(model.list(Pod).some(({ metadata }) => metadata.deletionTimestamp)).toBe(false);
    expect(model.events).toContainEqual(
      expect.objectContaining({ reason: "NodeNotReady", message: "Node node-a status is now: NodeNotReady" }),
    );
  });

  test("keeps its pods for their tolerationSeconds; then they are replaced elsewhere", () => {
    const model = cluster(2);
    model.create(Deployment, web(4));
    model.runPods();
    model.setNodeReady("node-a", "Unknown");
    model.advance(299 * SECOND);
    expect(podsOn(model, "node-a").every(isPodActive)).toBe(true);
    model.advance(2 * SECOND);
    model.runPods((node) => node === "node-b");
    expect(podsOn(model, "node-a").some(isPodActive)).toBe(false);
    expect(podsOn(model, "node-b").filter(isPodReady)).toHaveLength(4);
    const [evicted] = podsOn(model, "node-a");
    expect(conditionOf(evicted?.status?.conditions, "DisruptionTarget")).toMatchObject({
      status: "True",
      reason: "DeletionByTaintManager",
    });
    expect(model.events).toContainEqual(expect.objectContaining({ reason: "TaintManagerEviction" }));
  });

  test("that comes back in time keeps its pods and loses its taints", () => {
    const model = cluster(2);
    model.create(Deployment, web(4));
    model.runPods();
    const before = podsOn(model, "node-a").map(({ metadata }) => metadata.uid);
    model.setNodeReady("node-a", "Unknown");
    model.advance(200 * SECOND);
    model.setNodeReady("node-a", "True");
    for (const pod of podsOn(model, "node-a")) model.setPod(pod, "Running", true);
    model.advance(1000 * SECOND);
    expect(taints(model, "node-a")).toEqual([]);
    expect(podsOn(model, "node-a").map(({ metadata }) => metadata.uid)).toEqual(before);
  });

  test("that comes back late ends the pods that were replaced meanwhile", () => {
    const model = cluster(2);
    model.create(Deployment, web(4));
    model.runPods();
    model.setNodeReady("node-a", "Unknown");
    model.advance(400 * SECOND);
    model.runPods((node) => node === "node-b");
    model.setNodeReady("node-a", "True");
    model.runPods();
    expect(model.list(Pod)).toHaveLength(4);
    expect(model.list(Pod).every(isPodReady)).toBe(true);
  });

  test("when all are lost no one is evicted: it is our own network", () => {
    const model = cluster(3);
    model.create(Deployment, web(6, 10));
    model.runPods();
    for (const node of ["node-a", "node-b", "node-c"]) model.setNodeReady(node, "Unknown");
    model.advance(3600 * SECOND);
    expect(model.list(Pod).every(isPodActive)).toBe(true);
    expect(taints(model, "node-a")).toEqual(["unreachable:NoSchedule"]);
    // The first one back shows that the rest are lost on their own: their time starts now.
    model.setNodeReady("node-a", "True");
    model.setNodeReady("node-b", "True");
    model.advance(9 * SECOND);
    expect(podsOn(model, "node-c").every(isPodActive)).toBe(true);
    model.advance(2 * SECOND);
    expect(podsOn(model, "node-c").some(isPodActive)).toBe(false);
  });

  test("and deleted has its pods removed by force", () => {
    const model = cluster(2);
    model.create(Deployment, web(4));
    model.runPods();
    model.advance(60 * SECOND);
    model.delete(Node, model.get(Node, "node-a") ?? {});
    model.runPods();
    expect(podsOn(model, "node-a")).toEqual([]);
    expect(podsOn(model, "node-b")).toHaveLength(4);
  });
});

describe("many nodes that are lost at once", () => {
  const ZONE = "topology.kubernetes.io/zone";

  /** Nodes in zones: `{ home: 2 }` makes home-0 and home-1. */
  function zoned(zones: Record<string, number>): Model {
    const model = cluster(0);
    for (const [zone, size] of Object.entries(zones)) {
      for (let i = 0; i < size; i++) {
        model.addNode(`${zone}-${i}`);
        model.edit(Node, { metadata: { name: `${zone}-${i}` }, spec: {} }, (node) => {
          node.metadata.labels = { ...node.metadata.labels, [ZONE]: zone };
        });
      }
    }
    model.rest();
    return model;
  }
  const lose = (model: Model, zone: string, from: number, to: number) => {
    for (let i = from; i < to; i++) model.setNodeReady(`${zone}-${i}`, "Unknown");
    model.rest();
  };
  const evicting = (model: Model) =>
    model
      .list(Node)
      .filter(({ spec }) => spec?.taints?.some(({ effect }) => effect === "NoExecute"))
      .map(({ metadata }) => metadata.name);
  const policies = (model: Model, data: Record<string, string>) =>
    model.create(ConfigMap, { metadata: { name: "site-policies", namespace: "kube-system" }, data });

  test("are given up one after the other, ten seconds apart", () => {
    const model = zoned({ home: 7 });
    lose(model, "home", 0, 3);
    expect(evicting(model)).toEqual(["home-0"]);
    model.advance(9 * SECOND);
    expect(evicting(model)).toEqual(["home-0"]);
    model.advance(SECOND);
    expect(evicting(model)).toEqual(["home-0", "home-1"]);
    model.advance(10 * SECOND);
    expect(evicting(model)).toEqual(["home-0", "home-1", "home-2"]);
  });

  test("of one zone do not hold up those of another", () => {
    const model = zoned({ home: 7, shed: 7 });
    lose(model, "home", 0, 2);
    lose(model, "shed", 0, 2);
    expect(evicting(model)).toEqual(["home-0", "shed-0"]);
  });

  test("are not given up while they are more than half of their zone, but those that are go on", () => {
    const model = zoned({ home: 5, shed: 2 });
    lose(model, "home", 0, 1);
    expect(evicting(model)).toEqual(["home-0"]);
    lose(model, "home", 1, 4);
    model.advance(3600 * SECOND);
    expect(evicting(model)).toEqual(["home-0"]);
    model.setNodeReady("home-3", "True");
    model.setNodeReady("home-2", "True");
    model.rest();
    expect(evicting(model)).toEqual(["home-0", "home-1"]);
  });

  test("are given up slowly where their zone is large", () => {
    const model = zoned({ home: 52 });
    lose(model, "home", 0, 40);
    // The first went while few were lost; each of the others takes 100 s.
    const first = evicting(model).length;
    model.advance(99 * SECOND);
    expect(evicting(model)).toHaveLength(first);
    model.advance(2 * SECOND);
    expect(evicting(model)).toHaveLength(first + 1);
    model.advance(100 * SECOND);
    expect(evicting(model)).toHaveLength(first + 2);
  });

  test("may be a whole zone: others are there to show that it is the zone", () => {
    const model = zoned({ home: 3, shed: 2 });
    lose(model, "home", 0, 3);
    model.advance(30 * SECOND);
    expect(evicting(model)).toEqual(["home-0", "home-1", "home-2"]);
    lose(model, "shed", 0, 2);
    expect(evicting(model)).toEqual([]);
  });

  test("and are excluded from the count, tell nothing of the others", () => {
    const model = zoned({ home: 4 });
    for (const i of [0, 1, 2])
      model.edit(Node, { metadata: { name: `home-${i}` }, spec: {} }, (node) => {
        node.metadata.labels = { ...node.metadata.labels, "node.kubernetes.io/exclude-disruption": "" };
      });
    lose(model, "home", 0, 3);
    model.advance(20 * SECOND);
    expect(evicting(model)).toEqual(["home-0", "home-1", "home-2"]);
  });

  test("keep their pods where the policy of their site says so, until it says otherwise", () => {
    const model = zoned({ home: 3, shed: 3 });
    policies(model, { home: "Never", default: "10m" });
    lose(model, "home", 0, 1);
    lose(model, "shed", 0, 1);
    expect(evicting(model)).toEqual([]);
    expect(taints(model, "home-0")).toEqual(["unreachable:NoSchedule"]);
    model.advance(599 * SECOND);
    expect(evicting(model)).toEqual([]);
    model.advance(2 * SECOND);
    expect(evicting(model)).toEqual(["shed-0"]);
    model.edit(ConfigMap, { metadata: { name: "site-policies", namespace: "kube-system" } }, (map) => {
      map.data = { home: "soon", shed: "Never" };
    });
    model.rest();
    expect(evicting(model)).toEqual(["home-0"]);
    expect(model.events).toContainEqual(
      expect.objectContaining({
        reason: "InvalidSitePolicy",
        message: 'ConfigMap "kube-system/site-policies": "soon" of "home" is neither a duration nor "Never"',
      }),
    );
  });
});

describe("taints follow conditions", () => {
  test("disk pressure keeps new pods off and goes with the condition", () => {
    const model = cluster(1);
    const set = (status: string) =>
      model.edit(
        Node,
        { metadata: { name: "node-a" }, spec: {} },
        (node) => {
          const others = (node.status?.conditions ?? []).filter(({ type }) => type !== "DiskPressure");
          node.status = { ...node.status, conditions: [...others, { type: "DiskPressure", status }] };
        },
        "status",
      );
    set("True");
    model.rest();
    expect(taints(model, "node-a")).toEqual(["disk-pressure:NoSchedule"]);
    set("False");
    model.rest();
    expect(taints(model, "node-a")).toEqual([]);
  });

  test("cordon and a user's own taints live side by side", () => {
    const model = cluster(1);
    const own = { key: "gpu", value: "yes", effect: "NoSchedule" };
    model.edit(Node, { metadata: { name: "node-a" }, spec: {} }, (node) =>
      Object.assign(node.spec ?? {}, { unschedulable: true, taints: [own] }),
    );
    model.rest();
    expect(taints(model, "node-a")).toEqual(["gpu:NoSchedule", "unschedulable:NoSchedule"]);
    model.edit(Node, { metadata: { name: "node-a" }, spec: {} }, (node) => delete node.spec?.unschedulable);
    model.rest();
    expect(taints(model, "node-a")).toEqual(["gpu:NoSchedule"]);
  });

  test("a NoExecute taint without toleration evicts at once", () => {
    const model = cluster(2);
    model.create(Deployment, web(2));
    model.runPods();
    const taint = { key: "maintenance", effect: "NoExecute", timeAdded: timestamp(model.now) };
    model.edit(Node, { metadata: { name: "node-a" }, spec: {} }, (node) =>
      Object.assign(node.spec ?? {}, { taints: [taint] }),
    );
    model.runPods();
    expect(podsOn(model, "node-a")).toEqual([]);
    expect(podsOn(model, "node-b")).toHaveLength(2);
  });
});

describe("pod ranges", () => {
  test("every node gets the first free one, also one that another gave back", () => {
    const model = cluster(3);
    const cidrs = () => model.list(Node).map(({ spec }) => spec?.podCIDR);
    expect(cidrs()).toEqual(["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]);
    model.delete(Node, model.get(Node, "node-b") ?? {});
    model.addNode("node-d");
    model.rest();
    expect(cidrs()).toEqual(["10.244.0.0/24", "10.244.2.0/24", "10.244.1.0/24"]);
    expect(model.get(Node, "node-d")?.spec?.podCIDRs).toEqual(["10.244.1.0/24"]);
  });

  test("none that another node has in other words", () => {
    const ipv6 = { serviceCIDR: "fd00:96::/112", podCIDR: "fd00:244::/56", nodeMask: 64 };
    const model = cluster(1, config.podCIDR, ipv6);
    model.create(Node, { metadata: { name: "own" }, spec: { podCIDRs: ["10.244.1.0/24", "FD00:0244:0:1:0::/64"] } });
    model.addNode("node-b");
    model.rest();
    expect(model.get(Node, "node-b")?.spec?.podCIDRs).toEqual(["10.244.2.0/24", "fd00:244:0:2::/64"]);
  });

  test("of both families in a dual-stack cluster, or none", () => {
    const ipv6 = { serviceCIDR: "fd00:96::/112", podCIDR: "fd00:244:0:ff00::/63", nodeMask: 64 };
    const model = cluster(3, config.podCIDR, ipv6);
    expect(model.list(Node).map(({ spec }) => spec?.podCIDRs)).toEqual([
      ["10.244.0.0/24", "fd00:244:0:ff00::/64"],
      ["10.244.1.0/24", "fd00:244:0:ff01::/64"],
      undefined,
    ]);
  });

  test("a second family in which a node has fewer addresses is refused", () => {
    const ipv6 = { serviceCIDR: "fd00:96::/112", podCIDR: "fd00:244::/112" };
    expect(() => cluster(1, config.podCIDR, { ...ipv6, nodeMask: 121 })).toThrow(
      "a node has fewer addresses in /121 of fd00:244::/112 than in /24 of 10.244.0.0/16",
    );
    expect(() => cluster(1, config.podCIDR, { ...ipv6, nodeMask: 120 })).not.toThrow();
  });

  test("a node that gets none is told, and gets one when there is one", () => {
    const model = cluster(3, "10.244.0.0/23");
    expect(model.get(Node, "node-c")?.spec?.podCIDR).toBeUndefined();
    expect(model.events).toContainEqual(expect.objectContaining({ reason: "CIDRNotAvailable", about: "Node /node-c" }));
    model.delete(Node, model.get(Node, "node-a") ?? {});
    model.rest();
    expect(model.get(Node, "node-c")?.spec?.podCIDR).toBe("10.244.0.0/24");
  });
});

test("a pod for a node that never comes is removed, but not before the node could have joined", () => {
  const model = cluster(1);
  model.create(Pod, { metadata: { name: "early", namespace: "default" }, spec: { containers: [], nodeName: "ghost" } });
  model.advance(39 * SECOND);
  expect(model.get(Pod, "early")).toBeDefined();
  model.advance(2 * SECOND);
  expect(model.get(Pod, "early")).toBeUndefined();
});

test("of finished pods the oldest go when there are too many", () => {
  const model = new Model([podGarbageCollector(2)]);
  for (const pod of ["a", "b", "c", "d"]) {
    model.create(Pod, { metadata: { name: pod, namespace: "default" }, spec: { containers: [] } });
    model.setPod(model.get(Pod, pod) as Pod, "Succeeded", false);
    model.now += SECOND;
  }
  model.rest();
  expect(model.list(Pod).map(({ metadata }) => metadata.name)).toEqual(["c", "d"]);
});
