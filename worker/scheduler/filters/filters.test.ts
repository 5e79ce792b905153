import { describe, expect, test } from "vitest";
import { Model } from "../../controllers/testing.ts";
import { scheduler } from "../scheduler.ts";
import { type Change, cluster, nodeOf, pod, run, why } from "../testing.ts";

describe("filters", () => {
  const labelled = (model: Model, name: string, labels: Record<string, string>) =>
    model.addNode(name, {}, (node) => Object.assign(node.metadata.labels ?? {}, labels));

  test("nodeSelector and required node affinity", () => {
    const model = cluster("node-a");
    labelled(model, "node-b", { disk: "ssd", size: "8" });
    const selecting = pod("s", ({ spec }) => Object.assign(spec, { nodeSelector: { disk: "ssd" } }));
    const affine = pod("a", ({ spec }) => {
      const nodeSelectorTerms = [{ matchExpressions: [{ key: "size", operator: "Gt", values: ["4"] }] }];
      spec.affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
    });
    const nowhere = pod("n", ({ spec }) => Object.assign(spec, { nodeSelector: { disk: "tape" } }));
    expect(run(model, selecting, affine, nowhere)).toEqual(["node-b", "node-b", undefined]);
    expect(why(model, "n")).toContain("2 node(s) didn't match Pod's node affinity/selector.");
  });

  test("a cordoned node takes no pods, unless they tolerate it", () => {
    const model = new Model([scheduler()]);
    model.addNode("node-a", {}, (node) => {
      node.spec = { unschedulable: true };
    });
    const daemon = pod("d", ({ spec }) => {
      spec.tolerations = [{ key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" }];
    });
    expect(run(model, pod("web"), daemon)).toEqual([undefined, "node-a"]);
    expect(why(model, "web")).toContain("1 node(s) were unschedulable.");
  });

  test("host ports are taken once per node, protocol and address", () => {
    const model = cluster("node-a");
    const port = (name: string, hostPort: number, protocol = "TCP", hostIP?: string) =>
      pod(name, ({ spec }) => {
        spec.containers = [{ name: "c", image: "app", ports: [{ containerPort: 80, hostPort, protocol, hostIP }] }];
      });
    const places = run(model, port("a", 80), port("b", 80), port("c", 80, "UDP"), port("d", 80, "TCP", "127.0.0.1"));
    expect(places).toEqual(["node-a", undefined, "node-a", undefined]);
    expect(why(model, "b")).toContain("1 node(s) didn't have free ports for the requested pod ports.");
  });

  test("a node takes as many pods as it says", () => {
    const model = new Model([scheduler()]);
    model.addNode("node-a", { pods: "2" });
    expect(run(model, pod("a"), pod("b"), pod("c"))).toEqual(["node-a", "node-a", undefined]);
    expect(why(model, "c")).toContain("1 Too many pods.");
  });

  const hostname = "kubernetes.io/hostname";
  const near =
    (app: string): Change =>
    ({ spec }) => {
      const term = { labelSelector: { matchLabels: { app } }, topologyKey: hostname };
      spec.affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    };
  const far =
    (app: string): Change =>
    ({ spec }) => {
      const term = { labelSelector: { matchLabels: { app } }, topologyKey: hostname };
      spec.affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    };

  test("pods that want company wait for it, and the first of a group starts it", () => {
    const model = cluster("node-a", "node-b");
    expect(run(model, pod("web-1", near("db")))).toEqual([undefined]);
    expect(why(model, "web-1")).toContain("2 node(s) didn't match pod affinity rules.");
    const [db] = run(model, pod("db-1", near("db")));
    expect(db).toBeDefined();
    expect(nodeOf(model, "web-1")).toBe(db);
    expect(run(model, pod("db-2", near("db")))).toEqual([db]);
  });

  test("pods that want to be alone keep others away from themselves too", () => {
    const model = cluster("node-a", "node-b");
    const [first, second, third] = run(model, pod("web-1", far("web")), pod("web-2", far("web")), pod("web-3"));
    expect(new Set([first, second]).size).toBe(2);
    expect(third).toBeUndefined();
    expect(why(model, "web-3")).toContain("2 node(s) didn't satisfy existing pods anti-affinity rules.");
    run(model, pod("web-4", far("web")));
    expect(why(model, "web-4")).toContain("2 node(s) didn't match pod anti-affinity rules.");
  });

  test("topology spread holds maxSkew over the domains", () => {
    const model = new Model([scheduler()]);
    labelled(model, "node-a", { zone: "1" });
    labelled(model, "node-b", { zone: "2" });
    labelled(model, "node-c", {});
    const even: Change = ({ spec }) => {
      spec.topologySpreadConstraints = [
        {
          maxSkew: 1,
          topologyKey: "zone",
          whenUnsatisfiable: "DoNotSchedule",
          labelSelector: { matchLabels: { app: "web" } },
        },
      ];
    };
    const places = run(model, ...Array.from({ length: 6 }, (_, i) => pod(`web-${i}`, even)));
    expect(places.filter((place) => place === "node-a")).toHaveLength(3);
    expect(places.filter((place) => place === "node-b")).toHaveLength(3);
  });
});
