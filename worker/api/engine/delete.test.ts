import { describe, expect, it } from "vitest";
import { configMap, ns, pod, seen, session } from "../testing/session.ts";

describe("what has no finalizers", () => {
  it("goes at once, and the answer tells which it was", () => {
    const { ok, send } = session();
    const { uid } = ok("POST", `${ns}/configmaps`, configMap("a")).metadata;
    expect(send("DELETE", `${ns}/configmaps/a`).body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", kind: "configmaps", uid },
    });
    expect(send("GET", `${ns}/configmaps/a`).code).toBe(404);
  });

  it("stays in a dry run", () => {
    const { ok } = session();
    ok("POST", `${ns}/configmaps`, configMap("a"));
    ok("DELETE", `${ns}/configmaps/a?dryRun=All`);
    expect(ok("GET", `${ns}/configmaps/a`).metadata).not.toHaveProperty("deletionTimestamp");
  });

  it("stays when a precondition names another", () => {
    const { ok, send } = session();
    const { uid } = ok("POST", `${ns}/configmaps`, configMap("a")).metadata;
    const { code, body } = send("DELETE", `${ns}/configmaps/a`, { preconditions: { uid: "other" } });
    expect([code, body.message]).toEqual([
      409,
      `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    ]);
  });
});

describe("finalizers", () => {
  it("hold an object until the last is removed; none can be added meanwhile", () => {
    const { ok, send, watch } = session();
    const metadata = { name: "a", finalizers: ["example.com/f"] };
    ok("POST", `${ns}/configmaps`, { metadata });
    const events = watch(`${ns}/configmaps?watch=1`);
    const marked = ok("DELETE", `${ns}/configmaps/a`);
    expect(marked.metadata).toMatchObject({ deletionTimestamp: "2026-01-02T03:04:05Z", deletionGracePeriodSeconds: 0 });
    const more = send("PUT", `${ns}/configmaps/a`, {
      metadata: { name: "a", finalizers: ["example.com/f", "example.com/g"] },
    });
    expect(more.body.message).toContain('found new finalizers []string{"example.com/g"}');
    ok("PUT", `${ns}/configmaps/a`, { metadata: { name: "a" } });
    expect(send("GET", `${ns}/configmaps/a`).code).toBe(404);
    expect(seen(events.more())).toEqual(["MODIFIED a", "DELETED a"]);
  });

  it.each([
    ["Foreground", ["foregroundDeletion"]],
    ["Orphan", ["orphan"]],
  ])("propagation %s is one for the garbage collector", (propagationPolicy, finalizers) => {
    const { ok } = session();
    ok("POST", `${ns}/configmaps`, configMap("a"));
    expect(ok("DELETE", `${ns}/configmaps/a`, { propagationPolicy }).metadata.finalizers).toEqual(finalizers);
  });

  it("a Job orphans its pods unless told otherwise", () => {
    const { ok, send } = session();
    const path = "/apis/batch/v1/namespaces/default/jobs";
    const template = { spec: { ...pod("x").spec, restartPolicy: "Never" } };
    for (const name of ["a", "b"]) ok("POST", path, { metadata: { name }, spec: { template } });
    expect(ok("DELETE", `${path}/a`).metadata.finalizers).toEqual(["orphan"]);
    ok("DELETE", `${path}/b?propagationPolicy=Background`);
    expect(send("GET", `${path}/b`).code).toBe(404);
  });

  it("a Namespace terminates until /finalize empties it", () => {
    const { ok, send } = session();
    ok("POST", "/api/v1/namespaces", { metadata: { name: "x" } });
    const going = ok("DELETE", "/api/v1/namespaces/x");
    expect([going.status.phase, going.spec.finalizers]).toEqual(["Terminating", ["kubernetes"]]);
    const refused = send("POST", "/api/v1/namespaces/x/configmaps", configMap("a"));
    expect(refused.body.details.causes).toEqual([
      { reason: "NamespaceTerminating", message: "namespace x is being terminated", field: "metadata.namespace" },
    ]);
    ok("PUT", "/api/v1/namespaces/x", { metadata: { name: "x" }, spec: {} });
    expect(send("GET", "/api/v1/namespaces/x").code).toBe(200);
    ok("PUT", "/api/v1/namespaces/x/finalize", { metadata: { name: "x" }, spec: { finalizers: [] } });
    expect(send("GET", "/api/v1/namespaces/x").code).toBe(404);
  });

  it("immortal namespaces stay", () => {
    const { send } = session();
    expect(send("DELETE", "/api/v1/namespaces/default").body.message).toBe(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });
});

describe("pods", () => {
  it("that no node runs go at once, through a last change", () => {
    const { ok, send, watch } = session();
    ok("POST", `${ns}/pods`, pod("a"));
    const events = watch(`${ns}/pods?watch=1`);
    expect(ok("DELETE", `${ns}/pods/a`)).toMatchObject({ kind: "Pod", metadata: { deletionGracePeriodSeconds: 0 } });
    expect(send("GET", `${ns}/pods/a`).code).toBe(404);
    expect(seen(events.more())).toEqual(["MODIFIED a", "DELETED a"]);
  });

  it("on a node get their grace period, which a later delete may shorten but not extend", () => {
    const { ok, send } = session();
    ok("POST", `${ns}/pods`, pod("a", { nodeName: "n", terminationGracePeriodSeconds: 7 }));
    expect(ok("DELETE", `${ns}/pods/a`).metadata).toMatchObject({
      deletionTimestamp: "2026-01-02T03:04:12Z",
      deletionGracePeriodSeconds: 7,
      generation: 2,
    });
    expect(ok("DELETE", `${ns}/pods/a`, { gracePeriodSeconds: 60 }).metadata.deletionGracePeriodSeconds).toBe(7);
    expect(ok("DELETE", `${ns}/pods/a`, { gracePeriodSeconds: 2 }).metadata).toMatchObject({
      deletionTimestamp: "2026-01-02T03:04:07Z",
      deletionGracePeriodSeconds: 2,
    });
    ok("DELETE", `${ns}/pods/a?gracePeriodSeconds=0`);
    expect(send("GET", `${ns}/pods/a`).code).toBe(404);
  });

  it("with finalizers wait for those even when the node is done", () => {
    const { ok } = session();
    ok("POST", `${ns}/pods`, {
      ...pod("a", { nodeName: "n" }),
      metadata: { name: "a", finalizers: ["example.com/f"] },
    });
    ok("DELETE", `${ns}/pods/a?gracePeriodSeconds=0`);
    expect(ok("GET", `${ns}/pods/a`).metadata.deletionGracePeriodSeconds).toBe(0);
    ok("PUT", `${ns}/pods/a`, { ...ok("GET", `${ns}/pods/a`), metadata: { name: "a" } });
  });
});

it("a collection's deletion takes what its selectors find and answers with it", () => {
  const { ok } = session();
  for (const name of ["a", "b", "c"])
    ok("POST", `${ns}/configmaps`, { metadata: { name, labels: { x: name === "b" ? "2" : "1" } } });
  const gone = ok("DELETE", `${ns}/configmaps?labelSelector=x%3D1`);
  expect(gone.kind).toBe("ConfigMapList");
  const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map(({ metadata }) => metadata.name);
  expect(names(gone)).toEqual(["a", "c"]);
  expect(names(ok("GET", `${ns}/configmaps`))).toEqual(["b"]);
});

it.each([
  [
    { propagationPolicy: "Sideways" },
    'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
  ],
  [{ dryRun: ["Some"] }, 'dryRun: Unsupported value: ["Some"]: supported values: "All"'],
])("options %j are refused", (options, why) => {
  const { ok, send } = session();
  ok("POST", `${ns}/configmaps`, configMap("a"));
  expect(send("DELETE", `${ns}/configmaps/a`, options).body.message).toBe(
    `DeleteOptions.meta.k8s.io "" is invalid: ${why}`,
  );
});
