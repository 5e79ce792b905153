import { describe, expect, test } from "vitest";
import type { Pod } from "../../kinds/core/pod.ts";
import { timestamp } from "../../lib/effects.ts";
import { grouped, readyPods, requestsOf, type Sample, samplesOf } from "./pods.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const SECOND = 1000;
const WINDOW = 15 * SECOND;

type Facts = {
  phase?: string;
  deleted?: boolean;
  /** Seconds ago. */
  started?: number;
  ready?: boolean;
  since?: number;
  sample?: number;
};

function pod({ phase = "Running", deleted = false, started = 3600, ready, since = 1800 }: Facts): Pod {
  const at = (ago: number) => timestamp(NOW - ago * SECOND);
  const condition = { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(since) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", ...(deleted && { deletionTimestamp: at(0) }) },
    spec: { containers: [] },
    status: { phase, startTime: at(started), ...(ready !== undefined && { conditions: [condition] }) },
  };
}

/** Which group the pod is in; another one is there, that makes the sums possible. */
function groupOf(facts: Facts, resource: string): string {
  const samples = new Map<string, Sample>([["other", { amount: 1n, at: NOW, windowMs: WINDOW }]]);
  if (facts.sample !== undefined) samples.set("p", { amount: 1n, at: NOW - facts.sample * SECOND, windowMs: WINDOW });
  const { ready, unready, missing } = grouped([pod(facts)], samples, resource, NOW);
  if (unready.length) return "unready";
  if (missing.length) return "missing";
  return ready ? "ready" : "left out";
}

describe("a pod counts", () => {
  test.each<[what: string, resource: string, facts: Facts, group: string]>([
    ["that is measured", "cpu", { ready: true, sample: 0 }, "ready"],
    ["not that is deleted", "cpu", { ready: true, deleted: true, sample: 0 }, "left out"],
    ["not that failed", "cpu", { phase: "Failed", sample: 0 }, "left out"],
    ["as unready while it is pending", "memory", { phase: "Pending", sample: 0 }, "unready"],
    ["as missing without figures", "cpu", { ready: true }, "missing"],
    ["as unready without the condition", "cpu", { sample: 0 }, "unready"],
    [
      "as unready while it starts and is not ready",
      "cpu",
      { started: 60, ready: false, since: 50, sample: 0 },
      "unready",
    ],
    [
      "as unready when it was measured before it was ready",
      "cpu",
      { started: 60, ready: true, since: 10, sample: 0 },
      "unready",
    ],
    ["once a whole window was ready", "cpu", { started: 60, ready: true, since: 20, sample: 5 }, "ready"],
    ["as unready when it never was ready", "cpu", { started: 400, ready: false, since: 380, sample: 0 }, "unready"],
    ["though it is not ready any more", "cpu", { started: 400, ready: false, since: 300, sample: 0 }, "ready"],
    ["however it starts, for other resources", "memory", { started: 1, ready: false, since: 1, sample: 0 }, "ready"],
  ])("%s", (_, resource, facts, group) => {
    expect(groupOf(facts, resource)).toBe(group);
  });

  test("or there is nothing to go by", () => {
    expect(() => grouped([], new Map(), "cpu", NOW)).toThrow("no pods returned by selector");
    expect(() => grouped([pod({ ready: true })], new Map(), "cpu", NOW)).toThrow(
      "did not receive metrics for targeted pods (pods might be unready)",
    );
    expect(readyPods([pod({ ready: true }), pod({ ready: false }), pod({ ready: true, phase: "Failed" })])).toBe(1);
    expect(() => readyPods([])).toThrow("unable to calculate ready pods: no pods returned by selector");
  });
});

describe("what pods use", () => {
  const usage = (...containers: [name: string, usage: Record<string, string>][]) => [
    { name: "p", at: NOW, windowMs: WINDOW, containers: containers.map(([name, of]) => ({ name, usage: of })) },
  ];
  test.each([
    ["all containers together", usage(["a", { cpu: "100m" }], ["b", { cpu: "1500u" }]), undefined, 102n],
    ["one of them", usage(["a", { cpu: "100m" }], ["b", { cpu: "50m" }]), "b", 50n],
    ["none that is not there", usage(["a", { cpu: "100m" }]), "b", undefined],
    ["nothing where one says nothing", usage(["a", { cpu: "100m" }], ["b", {}]), undefined, undefined],
    ["nothing without containers", usage(), undefined, undefined],
  ])("%s", (_, usages, container, amount) => {
    expect(samplesOf(usages, "cpu", container).get("p")?.amount).toBe(amount);
  });
});

describe("what pods request", () => {
  const asks = (name: string, cpu?: string) => ({ name, ...(cpu && { resources: { requests: { cpu } } }) });
  const of = (spec: Pod["spec"], container?: string) => requestsOf([{ ...pod({}), spec }], "cpu", container).get("p");

  test("all containers and sidecars together, or one of them", () => {
    const spec = {
      containers: [asks("a", "100m"), asks("b", "1")],
      initContainers: [asks("once", "5"), { ...asks("side", "50m"), restartPolicy: "Always" }],
    };
    expect([of(spec), of(spec, "b"), of(spec, "side")]).toEqual([1150n, 1000n, 50n]);
    expect(() => of(spec, "once")).toThrow("container once not found in Pod p");
  });

  test("what the pod says itself, but for a named container", () => {
    const spec = { containers: [asks("a", "100m")], resources: { requests: { cpu: "2" } } };
    expect([of(spec), of(spec, "a")]).toEqual([2000n, 100n]);
    const other = { resources: { requests: { memory: "1Gi" } } };
    expect(of({ ...spec, ...other })).toBe(100n);
    expect(() => of({ containers: [asks("a")], ...other })).toThrow("missing pod-level request for cpu in Pod p");
  });

  test("or it is told who does not", () => {
    expect(() => of({ containers: [asks("a", "1"), asks("b")] })).toThrow(
      "missing request for cpu in container b of Pod p",
    );
  });
});
