import { describe, expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { forbidden } from "../../lib/status.ts";
import { AUTOSCALER } from "./horizontalpodautoscaler.ts";
import { AutoscaledModel, byCpu } from "./testing.ts";

function cluster(replicas = 2, use = 50): AutoscaledModel {
  const model = new AutoscaledModel();
  model.use(use);
  model.deploy(replicas);
  model.advance(60_000);
  return model;
}

const edit = (model: AutoscaledModel, change: (spec: NonNullable<Deployment["spec"]>) => void) =>
  model.edit(Deployment, { metadata: { name: "web", namespace: "default" } } as Deployment, (copy) => {
    if (copy.spec) change(copy.spec);
  });

describe("by the use of processors", () => {
  test("replicas grow while they are busy, at most to twice as many at once, and to no more than the maximum", () => {
    const model = cluster(2, 400);
    model.autoscale();
    model.look();
    expect(model.replicas).toBe(4);
    expect(model.conditions()).toEqual([
      "AbleToScale=True SucceededRescale",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=True ScaleUpLimit",
    ]);
    model.look();
    expect(model.replicas).toBe(8);
    model.look();
    expect(model.replicas).toBe(10);
    expect(model.conditions()[2]).toBe("ScalingLimited=True TooManyReplicas");
    expect(model.told).toEqual([
      "Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target",
      "Normal SuccessfulRescale: New size: 8; reason: cpu resource utilization (percentage of request) above target",
      "Normal SuccessfulRescale: New size: 10; reason: cpu resource utilization (percentage of request) above target",
    ]);
    const { lastScaleTime, ...status } = model.hpa().status ?? {};
    expect(Date.parse(lastScaleTime ?? "")).toBeLessThanOrEqual(model.now);
    expect(status).toMatchObject({
      currentReplicas: 8,
      desiredReplicas: 10,
      currentMetrics: [
        { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 400, averageValue: "400m" } } },
      ],
    });
  });

  test("replicas go when they were idle for five minutes, and not before", () => {
    const model = cluster(6, 50);
    model.autoscale();
    model.look();
    expect(model.conditions()[0]).toBe("AbleToScale=True ReadyForNewScale");
    model.use(10);
    model.look();
    expect(model.conditions()[0]).toBe("AbleToScale=True ScaleDownStabilized");
    model.look(19);
    expect(model.replicas).toBe(6);
    model.look();
    expect(model.replicas).toBe(2);
    expect(model.told).toEqual(["Normal SuccessfulRescale: New size: 2; reason: All metrics below target"]);
  });

  test("nothing is written while nothing changes", () => {
    const model = cluster(2, 50);
    model.autoscale();
    model.look(3);
    let writes = 0;
    model.onWrite = () => void writes++;
    model.look(20);
    expect([writes, model.stored.size, model.told]).toEqual([0, 0, []]);
    expect(model.asked.length).toBeGreaterThan(20);
  });

  test("what was recommended is known after the memory was lost", () => {
    const model = cluster(6, 50);
    model.autoscale();
    model.look();
    model.use(10);
    model.look(18);
    const heir = new AutoscaledModel();
    for (const [key, text] of model.stored) heir.stored.set(key, text);
    heir.now = model.now - 60_000;
    heir.use(10);
    heir.deploy(6);
    heir.autoscale();
    const { uid } = heir.hpa().metadata;
    for (const [key, text] of heir.stored)
      heir.stored.set(key, JSON.stringify({ ...(JSON.parse(text) as object), uid }));
    heir.advance(60_000);
    heir.look(2);
    expect(heir.replicas).toBe(6);
    heir.look(2);
    expect(heir.replicas).toBe(2);
  });
});

describe("the bounds", () => {
  test("hold whatever metrics say", () => {
    const model = cluster(1, 0);
    model.autoscale({ minReplicas: 3, maxReplicas: 5 });
    model.look();
    expect(model.replicas).toBe(3);
    edit(model, (spec) => Object.assign(spec, { replicas: 9 }));
    model.look();
    expect(model.replicas).toBe(5);
    expect(model.told).toEqual([
      "Normal SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas",
      "Normal SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas",
    ]);
    expect(model.message("AbleToScale")).toBe("the HPA controller was able to update the target scale to 5");
  });

  test("are nothing to a target that somebody has scaled to zero: then it sleeps until there are replicas", () => {
    const model = cluster(0);
    model.autoscale({ minReplicas: 2 });
    model.look();
    expect(model.conditions()).toEqual(["AbleToScale=True SucceededGetScale", "ScalingActive=False ScalingDisabled"]);
    expect(model.message("ScalingActive")).toBe("scaling is disabled since the replica count of the target is zero");
    expect(model.deadlines.filter(({ controller }) => controller === AUTOSCALER)).toEqual([]);
    edit(model, (spec) => Object.assign(spec, { replicas: 1 }));
    model.look();
    expect(model.replicas).toBe(2);
  });
});

describe("what cannot be scaled", () => {
  test("is told, once it is so and then now and then, and sleeps until it is there", () => {
    const model = new AutoscaledModel();
    model.autoscale();
    model.look(20);
    expect(model.conditions()).toEqual(["AbleToScale=False FailedGetScale"]);
    expect(model.message("AbleToScale")).toBe(
      `the HPA controller was unable to get the target's current scale: deployments.apps "web" not found`,
    );
    expect(model.told).toEqual([`Warning FailedGetScale: deployments.apps "web" not found`]);
    expect(model.deadlines.filter(({ controller }) => controller === AUTOSCALER)).toEqual([]);
    model.use(50);
    model.deploy(2);
    model.look();
    expect(model.conditions()[0]).toBe("AbleToScale=True ReadyForNewScale");
  });

  test.each([
    ["apps/v1", "Nothing", `no matches for kind "Nothing" in group "apps"`],
    ["apps/v1", "DaemonSet", "the server could not find the requested resource (get daemonsets web)"],
    ["a/b/c", "Deployment", "unexpected GroupVersion string: a/b/c"],
  ])("is %s %s", (apiVersion, kind, why) => {
    const model = cluster();
    model.autoscale({ scaleTargetRef: { apiVersion, kind, name: "web" } });
    model.look();
    expect(model.told).toEqual([`Warning FailedGetScale: ${why}`]);
  });

  test("are pods of several autoscalers", () => {
    const model = cluster();
    model.autoscale();
    model.autoscale({}, "other");
    model.look();
    const message = "pods by selector app=web are controlled by multiple HPAs: [default/other default/web]";
    for (const name of ["web", "other"]) {
      expect(model.conditions(name)[1]).toBe("ScalingActive=False AmbiguousSelector");
      expect(model.message("ScalingActive", name)).toBe(message);
    }
    expect(model.told.slice(0, 2).toSorted()).toEqual([
      `Warning AmbiguousSelector: ${message}`,
      `Warning FailedComputeMetricsReplicas: ${message}`,
    ]);
    model.delete(HorizontalPodAutoscaler, model.hpa("other"));
    model.look();
    expect(model.conditions()[1]).toBe("ScalingActive=True ValidMetricFound");
  });

  test("is a target whose change is refused", () => {
    const model = cluster(2, 100);
    model.autoscale();
    model.admit = () => undefined;
    model.refuseUpdates = (kind) =>
      kind.kind === "Deployment"
        ? forbidden({ group: "apps", resource: "deployments", name: "web" }, "no more of them")
        : undefined;
    model.look();
    expect(model.replicas).toBe(2);
    const why = `deployments.apps "web" is forbidden: no more of them`;
    expect(model.conditions()[0]).toBe("AbleToScale=False FailedUpdateScale");
    expect(model.message("AbleToScale")).toBe(`the HPA controller was unable to update the target scale: ${why}`);
    expect(model.hpa().status).toMatchObject({ currentReplicas: 2, desiredReplicas: 0 });
    expect(model.hpa().status?.lastScaleTime).toBeUndefined();
    const reason = "cpu resource utilization (percentage of request) above target";
    expect(model.told[0]).toBe(`Warning FailedRescale: New size: 4; reason: ${reason}; error: ${why}`);
    model.refuseUpdates = () => undefined;
    model.look();
    expect(model.replicas).toBe(4);
  });
});

describe("while nobody can be asked", () => {
  test("it sleeps until a node is there", () => {
    const model = cluster(2, 100);
    model.autoscale();
    model.setNodeReady("node-a", "Unknown");
    model.serve(({ api }) => (api === "resource" ? { pods: [] } : undefined));
    model.look(4);
    expect(model.conditions()[1]).toBe("ScalingActive=False FailedGetResourceMetric");
    expect(model.message("ScalingActive")).toBe(
      "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
    );
    expect(model.deadlines.filter(({ controller }) => controller === AUTOSCALER)).toEqual([]);
    model.serve(() => undefined);
    model.setNodeReady("node-a", "True");
    model.look();
    expect(model.replicas).toBe(4);
  });

  test("a failure that lasts is told for three minutes and then every five", () => {
    const model = cluster(2, 100);
    model.serve(({ api }) => (api === "resource" ? { failed: "it is broken" } : undefined));
    model.autoscale();
    model.look(2 + (20 * 60) / 15);
    const told = model.told.filter((line) => line.includes("FailedGetResourceMetric"));
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThan(20);
    expect(told[0]).toBe(
      "Warning FailedGetResourceMetric: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: it is broken",
    );
    expect(model.told.find((line) => line.includes("FailedComputeMetricsReplicas"))).toBe(
      "Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: it is broken",
    );
    expect(model.hpa().status?.currentMetrics).toEqual([{ type: "" }]);
  });
});

describe("of several metrics", () => {
  const queue = (value: string): NonNullable<HorizontalPodAutoscaler["spec"]["metrics"]>[number] => ({
    type: "External",
    external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: value } },
  });

  test("the one that asks for most counts", () => {
    const model = cluster(2, 50);
    model.serve(({ api }) => (api === "external" ? { values: [{ of: "", value: "30" }] } : undefined));
    model.autoscale({ metrics: [byCpu(50), queue("10")] });
    model.look();
    expect(model.replicas).toBe(3);
    expect(model.told).toEqual([
      "Normal SuccessfulRescale: New size: 3; reason: external metric queue(nil) above target",
    ]);
    expect(model.hpa().status?.currentMetrics?.[1]).toEqual({
      type: "External",
      external: { metric: { name: "queue" }, current: { averageValue: "15" } },
    });
  });

  test("one that is not known keeps replicas from going, not from coming", () => {
    const model = cluster(2, 100);
    model.autoscale({ metrics: [byCpu(50), queue("10")] });
    model.look();
    expect(model.replicas).toBe(4);
    model.use(1);
    model.look(30);
    expect(model.replicas).toBe(4);
    expect(model.message("ScalingActive")).toBe(
      "the HPA was unable to compute the replica count: unable to get external metric default/queue/nil: unable to fetch metrics from external metrics API: nobody serves it",
    );
  });
});

describe("a behavior", () => {
  test("takes pods away one a minute, and remembers which it took", () => {
    const model = cluster(5, 0);
    model.autoscale({
      behavior: {
        scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: "Pods", value: 1, periodSeconds: 60 }] },
      },
    });
    model.look();
    expect(model.replicas).toBe(4);
    expect(model.conditions()[2]).toBe("ScalingLimited=True ScaleDownLimit");
    model.look(3);
    expect(model.replicas).toBe(4);
    model.look();
    expect(model.replicas).toBe(3);
    expect(model.stored.get("default/web")).toContain('"downs":[{"replicas":1');
    model.delete(HorizontalPodAutoscaler, model.hpa());
    model.rest();
    expect(model.stored.size).toBe(0);
  });

  test("may forbid a direction", () => {
    const model = cluster(4, 0);
    model.autoscale({ behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: "Disabled" } } });
    model.look(4);
    expect(model.replicas).toBe(4);
    expect(model.conditions()[2]).toBe("ScalingLimited=True ScaleDownLimit");
  });

  test("may tell how far from its target a metric may be", () => {
    const model = cluster(4, 54);
    model.autoscale();
    model.look();
    expect(model.replicas).toBe(4);
    model.edit(HorizontalPodAutoscaler, model.hpa(), ({ spec }) => {
      spec.behavior = { scaleUp: { tolerance: "0.05" } };
    });
    model.look();
    expect(model.replicas).toBe(5);
  });
});
