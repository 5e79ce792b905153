import { describe, expect, test } from "vitest";
import type { CoreV1ContainerPort } from "../../worker/kinds/generated/types.ts";
import { type AdmittingNode, rejection } from "./admission.ts";
import { somePod } from "./testing.ts";

const node: AdmittingNode = {
  allocatable: { cpu: "2", memory: "1Gi", "ephemeral-storage": "10Gi", pods: "3", "hugepages-2Mi": "0" },
  pressures: [],
  object: undefined,
};
const asking = (cpu: string) => somePod({ containers: [{ name: "a", image: "i", resources: { requests: { cpu } } }] });
const listening = (port: Partial<CoreV1ContainerPort>) =>
  somePod({ containers: [{ name: "a", image: "i", ports: [{ containerPort: 80, ...port }] }] });

describe("a node takes a pod", () => {
  test("for whose requests there is room", () => {
    expect(rejection(asking("500m"), [asking("1"), asking("500m")], node)).toBeUndefined();
    expect(rejection(asking("501m"), [asking("1"), asking("500m")], node)).toEqual({
      reason: "OutOfcpu",
      message: "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
    });
  });

  test("that asks for nothing, however full it is", () => {
    expect(rejection(somePod(), [asking("5")], node)).toBeUndefined();
  });

  test.each([
    [{ hostPort: 81 }, true],
    [{ hostPort: 80, protocol: "UDP" }, true],
    [{ hostPort: 80, hostIP: "10.0.0.2" }, true],
    [{}, true],
    [{ hostPort: 80, hostIP: "10.0.0.1" }, false],
    [{ hostPort: 80 }, false],
  ])("whose host port is free: %j beside 10.0.0.1:80 is taken %s", (port, taken) => {
    const verdict = rejection(listening(port), [listening({ hostPort: 80, hostIP: "10.0.0.1" })], node);
    expect(verdict?.reason).toBe(taken ? undefined : "NodePorts");
  });

  test("as long as there are not too many", () => {
    expect(rejection(somePod(), [somePod(), somePod(), somePod()], node)).toEqual({
      reason: "OutOfpods",
      message: "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    });
  });

  test.each([
    ["ephemeral-storage", "11Gi", "OutOfephemeral-storage"],
    ["hugepages-2Mi", "2Mi", "OutOfhugepages-2Mi"],
    ["example.com/dongle", "1", undefined],
  ])("that asks for %s only where there is some", (name, amount, reason) => {
    const resources = { requests: { [name]: amount } };
    expect(rejection(somePod({ containers: [{ name: "a", resources }] }), [], node)?.reason).toBe(reason);
  });

  test("that may run on such a node", () => {
    const labelled = (labels: Record<string, string>): AdmittingNode => ({
      ...node,
      object: { metadata: { labels }, spec: {} },
    });
    const choosy = somePod({ nodeSelector: { disk: "ssd" } });
    expect(rejection(choosy, [], labelled({ disk: "ssd" }))).toBeUndefined();
    expect(rejection(choosy, [], labelled({}))).toEqual({
      reason: "NodeAffinity",
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    });
    expect(rejection(somePod({ os: { name: "windows" } }), [], node)?.reason).toBe("PodOSNotSupported");
  });

  test("that tolerates what would end it again", () => {
    const taints = [{ key: "gone", effect: "NoExecute" }];
    const tainted: AdmittingNode = { ...node, object: { metadata: {}, spec: { taints } } };
    expect(rejection(somePod(), [], tainted)?.reason).toBe("TaintToleration");
    const tolerations = [{ key: "gone", operator: "Exists", tolerationSeconds: 5 }];
    expect(rejection(somePod({ tolerations }), [], tainted)).toBeUndefined();
  });

  test("under pressure of memory if it says how much it needs, and under any other only if the system needs it", () => {
    const memory = { ...node, pressures: ["MemoryPressure"] };
    const both = { ...node, pressures: ["MemoryPressure", "DiskPressure"] };
    const evicted = { reason: "Evicted", message: "The node had condition: [MemoryPressure]. " };
    expect(rejection(somePod(), [], memory)).toEqual(evicted);
    expect(rejection(asking("1"), [], memory)).toBeUndefined();
    const tolerations = [{ key: "node.kubernetes.io/memory-pressure", operator: "Exists" }];
    expect(rejection(somePod({ tolerations }), [], memory)).toBeUndefined();
    expect(rejection(asking("1"), [], both)?.message).toBe("The node had condition: [MemoryPressure DiskPressure]. ");
    expect(rejection(somePod({ priority: 2_000_000_000 }), [], both)).toBeUndefined();
  });
});

test("a pod that the system needs is told what is lacking, unless it could not run here anyway", () => {
  const big = { name: "a", image: "i", resources: { requests: { cpu: "3", memory: "2Gi" } } };
  const needed = somePod({ priority: 2_000_000_000, containers: [big] });
  const { reason, lacks } = rejection(needed, [], node) ?? {};
  expect(reason).toBe("OutOfcpu");
  expect(lacks).toEqual([
    { name: "cpu", amount: 1000 },
    { name: "memory", amount: 1024 ** 3 },
  ]);
  const choosy = somePod({ priority: 2_000_000_000, containers: [big], nodeSelector: { disk: "ssd" } });
  const labelled: AdmittingNode = { ...node, object: { metadata: { labels: {} }, spec: {} } };
  expect(rejection(choosy, [], labelled)).toMatchObject({ reason: "NodeAffinity" });
});
