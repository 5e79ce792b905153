import { describe, expect, it } from "vitest";
import { configMap, ns, pod, session } from "../testing/session.ts";

describe("create", () => {
  it("sets what the server owns and drops what clients may not set", () => {
    const { ok } = session();
    const { metadata } = ok("POST", `${ns}/configmaps`, {
      metadata: { name: "a", uid: "mine", selfLink: "/x", deletionTimestamp: "2030-01-01T00:00:00Z" },
    });
    expect(metadata).toMatchObject({ name: "a", namespace: "default", creationTimestamp: "2026-01-02T03:04:05Z" });
    expect(metadata.uid).toMatch(/^00000000-/);
    expect(metadata).not.toHaveProperty("selfLink");
    expect(metadata).not.toHaveProperty("deletionTimestamp");
  });

  it("answers with apiVersion, kind and metadata first and status last", () => {
    const { ok } = session();
    expect(Object.keys(ok("POST", `${ns}/pods`, pod("a")))).toEqual([
      "apiVersion",
      "kind",
      "metadata",
      "spec",
      "status",
    ]);
  });

  it("takes another name when a generated one is taken, and gives up after eight", () => {
    const { ok, send, clock } = session();
    const first = ok("POST", `${ns}/configmaps`, { metadata: { generateName: "gen-" } });
    expect(first.metadata.name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(send("POST", `${ns}/configmaps`, { metadata: { generateName: "gen-" } }).body.reason).toBe("AlreadyExists");
    clock.random = 0.1;
    expect(ok("POST", `${ns}/configmaps`, { metadata: { generateName: "gen-" } }).metadata.name).not.toBe(
      first.metadata.name,
    );
  });

  it.each([
    [
      { apiVersion: "v1", kind: "Secret" },
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ],
    [
      { apiVersion: "v2", kind: "ConfigMap" },
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
    ],
  ])("refuses %j for a ConfigMap", (named, message) => {
    const { send } = session();
    const { code, body } = send("POST", `${ns}/configmaps`, { ...named, metadata: { name: "a" } });
    expect([code, body.message]).toEqual([400, message]);
  });

  it("writes nothing in a dry run, and shows no version", () => {
    const { ok, send, store } = session();
    const before = store.revision();
    const { metadata } = ok("POST", `${ns}/configmaps?dryRun=All`, configMap("a"));
    expect(metadata).not.toHaveProperty("resourceVersion");
    expect(store.revision()).toBe(before);
    expect(send("GET", `${ns}/configmaps/a`).code).toBe(404);
  });

  it("leaves nothing behind when it is refused", () => {
    const { send, store } = session();
    const before = store.revision();
    expect(send("POST", `${ns}/configmaps`, configMap("No")).code).toBe(422);
    expect(send("POST", "/api/v1/namespaces/none/configmaps", configMap("a")).code).toBe(404);
    expect(store.revision()).toBe(before);
  });
});

describe("update", () => {
  it("is refused when it was made from an older version", () => {
    const { ok, send } = session();
    const { metadata } = ok("POST", `${ns}/configmaps`, configMap("a"));
    ok("PUT", `${ns}/configmaps/a`, configMap("a", { data: { k: "1" } }));
    const stale = { metadata: { name: "a", resourceVersion: metadata.resourceVersion }, data: { k: "2" } };
    expect(send("PUT", `${ns}/configmaps/a`, stale).body.reason).toBe("Conflict");
  });

  it("that changes nothing moves no revision and wakes no watcher", () => {
    const { ok, store, watch } = session();
    const made = ok("POST", `${ns}/configmaps`, configMap("a", { data: { x: "1", y: "2" } }));
    const watching = watch(`${ns}/configmaps?watch=1`);
    const before = store.revision();
    const again = ok("PUT", `${ns}/configmaps/a`, { data: { y: "2", x: "1" }, metadata: made.metadata });
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(store.revision()).toBe(before);
    expect(watching.more()).toEqual([]);
  });

  it("of a Lease needs a version, and creates one that is absent", () => {
    const { send } = session();
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    expect(send("PUT", `${leases}/l`, { metadata: { name: "l" } }).code).toBe(201);
    const { code, body } = send("PUT", `${leases}/l`, { metadata: { name: "l" } });
    expect([code, body.message]).toEqual([
      422,
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ]);
  });

  it("counts generation by spec alone, and keeps spec and status apart", () => {
    const { ok } = session();
    const path = "/apis/apps/v1/namespaces/default/deployments";
    const spec = {
      replicas: 1,
      selector: { matchLabels: { app: "a" } },
      template: { metadata: { labels: { app: "a" } }, spec: pod("a").spec },
    };
    const made = ok("POST", path, { metadata: { name: "a" }, spec, status: { replicas: 9 } });
    expect([made.metadata.generation, made.status]).toEqual([1, {}]);
    const status = { metadata: { name: "a" }, spec: { ...spec, replicas: 7 }, status: { replicas: 3 } };
    const reported = ok("PUT", `${path}/a/status`, status);
    expect([reported.metadata.generation, reported.spec.replicas, reported.status.replicas]).toEqual([1, 1, 3]);
    const scaled = ok("PUT", `${path}/a`, { metadata: { name: "a" }, spec: { ...spec, replicas: 4 } });
    expect([scaled.metadata.generation, scaled.spec.replicas, scaled.status.replicas]).toEqual([2, 4, 3]);
  });
});

describe("versions", () => {
  it("an event of the core group is one of events.k8s.io too, under one revision", () => {
    const { ok } = session();
    const involvedObject = { kind: "Pod", namespace: "default", name: "x" };
    const made = ok("POST", `${ns}/events`, {
      metadata: { name: "e" },
      involvedObject,
      reason: "R",
      message: "m",
      type: "Normal",
      count: 2,
    });
    const { metadata, note, regarding, deprecatedCount } = ok(
      "GET",
      "/apis/events.k8s.io/v1/namespaces/default/events/e",
    );
    expect(metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect({ note, regarding, deprecatedCount }).toEqual({ note: "m", regarding: involvedObject, deprecatedCount: 2 });
    expect(ok("GET", "/apis/events.k8s.io/v1/events").items).toHaveLength(1);
  });

  it("an old client's event may be patched through events.k8s.io, in its series alone", () => {
    const { ok, send } = session();
    const involvedObject = { kind: "Pod", namespace: "default", name: "x" };
    ok("POST", `${ns}/events`, { metadata: { name: "e" }, involvedObject, reason: "R", type: "Normal", count: 2 });
    const path = "/apis/events.k8s.io/v1/namespaces/default/events/e";
    const series = { count: 2, lastObservedTime: "2026-01-01T00:00:00.000000Z" };
    expect(send("PATCH", path, { series }).body.series).toEqual(series);
    const refused = send("PATCH", path, { reason: "S", series: { ...series, count: 1 } });
    expect(refused.body.details.causes).toEqual([
      { field: "series.count", reason: "FieldValueInvalid", message: 'Invalid value: "": should be at least 2' },
      { field: "reason", reason: "FieldValueInvalid", message: 'Invalid value: "S": field is immutable' },
    ]);
  });

  it("an autoscaler keeps through version 1 what only version 2 can say", () => {
    const { ok } = session();
    const at = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
    const metrics = [
      { type: "Resource", resource: { name: "memory", target: { type: "Utilization", averageUtilization: 70 } } },
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
    ];
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
    ok("POST", at("v2"), {
      metadata: { name: "h" },
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 5, metrics },
    });
    const old = ok("GET", `${at("v1")}/h`);
    expect(old.spec.targetCPUUtilizationPercentage).toBe(50);
    ok("PUT", `${at("v1")}/h`, { ...old, spec: { ...old.spec, targetCPUUtilizationPercentage: 60 } });
    const shares = ok("GET", `${at("v2")}/h`).spec.metrics.map(
      ({ resource }: { resource: { name: string; target: { averageUtilization: number } } }) =>
        `${resource.name} ${resource.target.averageUtilization}`,
    );
    expect(shares).toEqual(["memory 70", "cpu 60"]);
  });
});
