import { describe, expect, test } from "vitest";
import { conditionOf } from "../controllers/conditions.ts";
import { Pod } from "../kinds/core/pod.ts";
import { PodDisruptionBudget } from "../kinds/policy/pod-disruption-budget.ts";
import { type Change, cluster, nodeOf, pod, requesting, run, why } from "./testing.ts";

describe("a pod of higher priority", () => {
  const prior =
    (priority: number, cpu: string): Change =>
    (made) => {
      requesting({ cpu })(made);
      made.spec.priority = priority;
    };

  test("makes the least important pods leave, and no more than it must", () => {
    const model = cluster("node-a", "node-b");
    run(model, pod("a1", prior(5, "2")), pod("a2", prior(5, "2")), pod("b1", prior(1, "2")), pod("b2", prior(2, "2")));
    const [b1, b2] = [nodeOf(model, "b1"), nodeOf(model, "b2")];
    run(model, pod("vip", prior(100, "2")));
    expect(model.get(Pod, "b1")?.metadata.deletionTimestamp).toBeDefined();
    expect(model.list(Pod).filter(({ metadata }) => metadata.deletionTimestamp)).toHaveLength(1);
    expect(model.get(Pod, "vip")?.status?.nominatedNodeName).toBe(b1);
    expect(why(model, "vip")).toBe("0/2 nodes are available: 2 Insufficient cpu.");
    expect(conditionOf(model.get(Pod, "b1")?.status?.conditions, "DisruptionTarget")).toMatchObject({
      reason: "PreemptionByScheduler",
    });
    expect(model.events).toContainEqual(expect.objectContaining({ reason: "Preempted", about: "Pod default/b1" }));
    model.endPod(model.get(Pod, "b1") as Pod);
    model.rest();
    expect(nodeOf(model, "vip")).toBe(b1);
    expect(nodeOf(model, "b2")).toBe(b2);
  });

  test("keeps the room that it waits for from those of lower priority", () => {
    const model = cluster("node-a");
    run(model, pod("low", prior(1, "4")));
    run(model, pod("vip", prior(100, "3")));
    run(model, pod("sneak", prior(1, "2")));
    model.endPod(model.get(Pod, "low") as Pod);
    model.rest();
    expect([nodeOf(model, "vip"), nodeOf(model, "sneak")]).toEqual(["node-a", undefined]);
  });

  test("takes the room that others of less priority wait for, who then look for another", () => {
    const model = cluster("node-a", "node-b");
    const many = (name: string, count: number, priority: number) =>
      Array.from({ length: count }, (_, i) => pod(`${name}-${i}`, prior(priority, "1")));
    run(model, ...many("low", 8, 1));
    for (const batch of ["one", "two"]) run(model, ...many(`mid-${batch}`, 4, 50), ...many(`vip-${batch}`, 2, 100));
    const named = (name: string) => model.list(Pod).filter(({ metadata }) => metadata.name?.startsWith(name));
    expect(named("low").filter(({ metadata }) => !metadata.deletionTimestamp)).toEqual([]);
    expect(named("vip").map(({ status }) => status?.nominatedNodeName)).toSatisfy((nodes) => nodes.every(Boolean));
    for (const low of named("low")) model.endPod(low as Pod);
    model.rest();
    expect(named("vip").filter(({ spec }) => !spec.nodeName)).toEqual([]);
    expect(named("mid").filter(({ spec }) => spec.nodeName)).toHaveLength(4);
  });

  test("waits for those that leave already instead of making more leave", () => {
    const model = cluster("node-a");
    run(model, pod("x", prior(1, "2")), pod("y", prior(1, "2")));
    run(model, pod("vip", prior(100, "2")));
    model.addNode("node-b", { cpu: "1" });
    model.rest();
    expect(model.list(Pod).filter(({ metadata }) => metadata.deletionTimestamp)).toHaveLength(1);
    expect(why(model, "vip")).toContain("preemption: not eligible due to a terminating pod on the nominated node.");
  });

  test("with preemptionPolicy Never makes no one leave", () => {
    const model = cluster("node-a");
    run(model, pod("low", prior(1, "4")));
    run(
      model,
      pod("polite", (made) => {
        prior(100, "2")(made);
        made.spec.preemptionPolicy = "Never";
      }),
    );
    expect(model.get(Pod, "low")?.metadata.deletionTimestamp).toBeUndefined();
    expect(why(model, "polite")).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
    );
  });

  test("spares pods whose disruption budget is used up, where it can", () => {
    const model = cluster("node-a", "node-b");
    const placed = run(model, pod("guarded", prior(1, "4")), pod("free", prior(2, "4")));
    model.create(PodDisruptionBudget, {
      metadata: { name: "b", namespace: "default" },
      spec: { selector: { matchLabels: { app: "guarded" } }, minAvailable: 1 },
    });
    run(model, pod("vip", prior(100, "4")));
    expect(model.get(Pod, "vip")?.status?.nominatedNodeName).toBe(placed[1]);
    expect(model.get(Pod, "guarded")?.metadata.deletionTimestamp).toBeUndefined();
  });
});
