import { describe, expect, it } from "vitest";
import { ns, pod, session } from "../testing/session.ts";

describe("scale", () => {
  const path = "/apis/apps/v1/namespaces/default/deployments";
  const deployment = {
    metadata: { name: "a" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "a" } },
      template: { metadata: { labels: { app: "a" } }, spec: pod("a").spec },
    },
  };

  it("shows and sets the one number, and the generation moves", () => {
    const { ok } = session();
    ok("POST", path, deployment);
    expect(ok("GET", `${path}/a/scale`)).toMatchObject({
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      spec: { replicas: 2 },
      status: { replicas: 0, selector: "app=a" },
    });
    ok("PUT", `${path}/a/scale`, { metadata: { name: "a" }, spec: { replicas: 4 } });
    ok("PATCH", `${path}/a/scale`, { spec: { replicas: 5 } });
    const { spec, metadata } = ok("GET", `${path}/a`);
    expect([spec.replicas, metadata.generation]).toEqual([5, 3]);
  });

  it("does not go below zero, nor over a newer version", () => {
    const { ok, send } = session();
    const { metadata } = ok("POST", path, deployment);
    const below = send("PUT", `${path}/a/scale`, { metadata: { name: "a" }, spec: { replicas: -1 } });
    expect(below.body.message).toBe(
      'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    ok("PATCH", `${path}/a`, { spec: { replicas: 3 } });
    const stale = { metadata: { name: "a", resourceVersion: metadata.resourceVersion }, spec: { replicas: 9 } };
    expect(send("PUT", `${path}/a/scale`, stale).body.reason).toBe("Conflict");
  });
});

describe("binding", () => {
  const binding = { metadata: { name: "a" }, target: { kind: "Node", name: "n" } };

  it("gives a pod its node, once", () => {
    const { ok, send } = session();
    ok("POST", `${ns}/pods`, pod("a"));
    expect(ok("POST", `${ns}/pods/a/binding`, binding)).toMatchObject({ kind: "Status", code: 201 });
    const bound = ok("GET", `${ns}/pods/a`);
    expect(bound.spec.nodeName).toBe("n");
    expect(bound.status.conditions).toContainEqual(expect.objectContaining({ type: "PodScheduled", status: "True" }));
    expect(send("POST", `${ns}/pods/a/binding`, binding).body.message).toBe(
      'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n"',
    );
  });

  it("waits for scheduling gates", () => {
    const { ok, send } = session();
    ok("POST", `${ns}/pods`, pod("a", { schedulingGates: [{ name: "example.com/g" }] }));
    expect(send("POST", `${ns}/pods/a/binding`, binding).code).toBe(409);
  });
});

describe("eviction", () => {
  const running = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  const prepared = (disruptionsAllowed: number) => {
    const made = session();
    made.ok("POST", `${ns}/pods`, { ...pod("a", { nodeName: "n" }), metadata: { name: "a", labels: { app: "a" } } });
    made.ok("PATCH", `${ns}/pods/a/status`, { status: running });
    const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    made.ok("POST", budgets, {
      metadata: { name: "b" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } },
    });
    const status = { observedGeneration: 1, disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
    made.ok("PATCH", `${budgets}/b/status`, { status });
    return { ...made, budget: () => made.ok("GET", `${budgets}/b`).status };
  };

  it("is put off while the budget allows none", () => {
    const { send } = prepared(0);
    const { code, body } = send("POST", `${ns}/pods/a/eviction`, { metadata: { name: "a" } });
    expect([code, body.message, body.details.causes]).toEqual([
      429,
      "Cannot evict pod as it would violate the pod's disruption budget.",
      [{ reason: "DisruptionBudget", message: "The disruption budget b needs 1 healthy pods and has 1 currently" }],
    ]);
  });

  it("spends the budget and deletes the pod with its grace", () => {
    const { ok, budget } = prepared(1);
    ok("POST", `${ns}/pods/a/eviction`, { metadata: { name: "a" } });
    expect(budget()).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { a: "2026-01-02T03:04:05Z" } });
    const evicted = ok("GET", `${ns}/pods/a`);
    expect(evicted.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(evicted.status.conditions).toContainEqual({
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
      lastTransitionTime: "2026-01-02T03:04:05Z",
    });
  });

  it("happens only to the version that is meant", () => {
    const { ok, send } = prepared(1);
    const { resourceVersion } = ok("GET", `${ns}/pods/a`).metadata;
    const of = (version: string) => ({
      metadata: { name: "a" },
      deleteOptions: { preconditions: { resourceVersion: version } },
    });
    expect(send("POST", `${ns}/pods/a/eviction`, of("1")).code).toBe(409);
    expect(send("POST", `${ns}/pods/a/eviction`, of(resourceVersion)).code).toBe(201);
  });

  it("spends nothing in a dry run", () => {
    const { ok, budget } = prepared(1);
    ok("POST", `${ns}/pods/a/eviction`, { metadata: { name: "a" }, deleteOptions: { dryRun: ["All"] } });
    expect(budget().disruptionsAllowed).toBe(1);
    expect(ok("GET", `${ns}/pods/a`).metadata).not.toHaveProperty("deletionTimestamp");
  });

  it("of a pod that does not run yet asks no budget", () => {
    const { ok, send } = session();
    ok("POST", `${ns}/pods`, pod("a"));
    ok("POST", `${ns}/pods/a/eviction`, { metadata: { name: "a" } });
    expect(send("GET", `${ns}/pods/a`).code).toBe(404);
  });
});

it("an endpoint that is not there is not allowed", () => {
  const { ok, send } = session();
  ok("POST", `${ns}/configmaps`, { metadata: { name: "a" } });
  expect(send("GET", `${ns}/configmaps/a/scale`).code).toBe(405);
});
