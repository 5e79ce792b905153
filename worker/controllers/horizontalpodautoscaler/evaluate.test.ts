import { describe, expect, test } from "vitest";
import type { Pod } from "../../kinds/core/pod.ts";
import type { AutoscalingV2MetricSpec } from "../../kinds/generated/types.ts";
import { evaluate, type Situation, shownSelector } from "./evaluate.ts";
import type { Answer } from "./metrics.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

const podNamed = (name: string): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", resources: { requests: { cpu: "200m", memory: "64Mi" } } }] },
  status: {
    phase: "Running",
    startTime: "2025-12-31T00:00:00Z",
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2025-12-31T00:00:00Z" }],
  },
});

const SITUATION: Situation = {
  namespace: "shop",
  replicas: 2,
  running: 2,
  pods: [podNamed("a"), podNamed("b")],
  tolerances: { up: 0.1, down: 0.1 },
  now: NOW,
};

const using = (cpu: string, memory: string): Answer => ({
  pods: ["a", "b"].map((name) => ({
    name,
    at: NOW,
    windowMs: 10_000,
    containers: [{ name: "c", usage: { cpu, memory } }],
  })),
});
const values = (...all: string[]): Answer => ({
  values: all.map((value, index) => ({ of: index ? "b" : "a", value })),
});

const metric = { name: "m" };
const selected = { name: "m", selector: { matchLabels: { b: "2", a: "1" } } };
const describedObject = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: "main" };

const SPECS = {
  utilization: { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
  memory: { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "32Mi" } } },
  container: {
    type: "ContainerResource",
    containerResource: { name: "cpu", container: "c", target: { type: "Utilization", averageUtilization: 50 } },
  },
  pods: { type: "Pods", pods: { metric, target: { type: "AverageValue", averageValue: "10" } } },
  object: { type: "Object", object: { metric, describedObject, target: { type: "Value", value: "10" } } },
  objectShare: {
    type: "Object",
    object: { metric: selected, describedObject, target: { type: "AverageValue", averageValue: "10" } },
  },
  external: { type: "External", external: { metric: selected, target: { type: "Value", value: "10" } } },
  externalShare: { type: "External", external: { metric, target: { type: "AverageValue", averageValue: "10" } } },
} as const satisfies Record<string, AutoscalingV2MetricSpec>;

const SHOWN =
  "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{},}";

describe("a metric proposes replicas and says what it is", () => {
  test.each<[of: keyof typeof SPECS, answer: Answer, replicas: number, name: string, current: object]>([
    [
      "utilization",
      using("200m", "1Mi"),
      4,
      "cpu resource utilization (percentage of request)",
      { averageUtilization: 100, averageValue: "200m" },
    ],
    ["memory", using("1", "64Mi"), 4, "memory resource", { averageValue: "64Mi" }],
    [
      "container",
      using("100m", "1Mi"),
      2,
      "cpu container resource utilization (percentage of request)",
      { averageUtilization: 50, averageValue: "100m" },
    ],
    ["pods", values("15", "25"), 4, "pods metric m", { averageValue: "20" }],
    ["object", values("15"), 3, "Ingress metric m", { value: "15" }],
    ["objectShare", values("45"), 5, `external metric m(${SHOWN})`, { averageValue: "22500m" }],
    ["external", values("10", "10"), 4, `external metric m(${SHOWN})`, { value: "20" }],
    ["externalShare", values("1k"), 100, "external metric m(nil)", { averageValue: "500" }],
  ])("%s", (of, answer, replicas, name, current) => {
    const found = evaluate(SPECS[of], SITUATION, answer);
    expect(found).toMatchObject({ replicas, name });
    if ("error" in found) throw new Error(found.error);
    const { type, ...status } = found.status;
    expect([type, Object.values(status)[0]]).toEqual([SPECS[of].type, expect.objectContaining({ current })]);
  });
});

describe("what is not known is told, to the metric's condition and to all", () => {
  const failed: Answer = { failed: "broken" };
  const none: Answer = { pods: [] };
  const resources = "unable to get metrics for resource cpu: ";
  const external = `unable to get external metric shop/m/${SHOWN}: unable to fetch metrics from external metrics API: broken`;
  const perPod = "unable to get external metric shop/m/nil: no metrics returned from external metrics API";
  const custom = "unable to get metric m: unable to fetch metrics from custom metrics API: broken";
  const onObject = `${custom} on Ingress shop/main`;
  test.each<[of: keyof typeof SPECS, answer: Answer, reason: string, message: string, error: string]>([
    [
      "utilization",
      failed,
      "FailedGetResourceMetric",
      `failed to get cpu utilization: ${resources}unable to fetch metrics from resource metrics API: broken`,
      "failed to get cpu resource metric value: ",
    ],
    [
      "utilization",
      none,
      "FailedGetResourceMetric",
      `failed to get cpu utilization: ${resources}no metrics returned from resource metrics API`,
      "failed to get cpu resource metric value: ",
    ],
    [
      "memory",
      none,
      "FailedGetResourceMetric",
      "failed to get memory usage: unable to get metrics for resource memory: no metrics returned from resource metrics API",
      "failed to get memory resource metric value: ",
    ],
    [
      "container",
      none,
      "FailedGetContainerResourceMetric",
      `failed to get cpu utilization: ${resources}no metrics returned from resource metrics API`,
      "failed to get c container metric value: ",
    ],
    ["pods", failed, "FailedGetPodsMetric", custom, "failed to get pods metric value: "],
    ["object", failed, "FailedGetObjectMetric", onObject, "failed to get object metric value: "],
    [
      "objectShare",
      failed,
      "FailedGetObjectMetric",
      onObject,
      "failed to get object metric value: failed to get m object metric: ",
    ],
    [
      "external",
      failed,
      "FailedGetExternalMetric",
      external,
      "failed to get m external metric value: failed to get external metric m: ",
    ],
    [
      "externalShare",
      { values: [] },
      "FailedGetExternalMetric",
      perPod,
      "failed to get m external metric value: failed to get m external metric: ",
    ],
  ])("%s", (of, answer, reason, message, opening) => {
    expect(evaluate(SPECS[of], SITUATION, answer)).toEqual({ reason, message, error: opening + message });
  });
});

test("selectors are shown as Go shows them", () => {
  const expression = { key: "tier", operator: "In", values: ["a", "b"] };
  expect(shownSelector({ matchExpressions: [expression] })).toBe(
    "&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},},}",
  );
});
