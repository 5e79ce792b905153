import { describe, expect, it } from "vitest";
import { configMap, ns, seen, session } from "../testing/session.ts";

const path = `${ns}/configmaps`;

it("from a revision, sends what came after it, and DELETED carries the last body under a new revision", () => {
  const { ok, watch } = session();
  const made = ok("POST", path, configMap("a", { data: { k: "1" } }));
  ok("PATCH", `${path}/a`, { data: { k: "2" } });
  ok("DELETE", `${path}/a`);
  const { first } = watch(`${path}?watch=1&resourceVersion=${made.metadata.resourceVersion}`);
  expect(seen(first)).toEqual(["MODIFIED a", "DELETED a"]);
  expect(first[1].object.data).toEqual({ k: "2" });
  const [before, after] = first.map(({ object }) => Number(object.metadata.resourceVersion));
  expect(after).toBeGreaterThan(before ?? 0);
});

it("without one, sends what there is as ADDED and then what comes, each once", () => {
  const { ok, watch } = session();
  ok("POST", path, configMap("a"));
  const { first, more } = watch(`${path}?watch=1`);
  expect(seen(first)).toEqual(["ADDED a"]);
  ok("POST", path, configMap("b"));
  ok("POST", `${ns}/secrets`, configMap("s"));
  expect(seen(more())).toEqual(["ADDED b"]);
  expect(more()).toEqual([]);
});

it.each(["labelSelector=x%3D1", "fieldSelector=metadata.name%3Da&labelSelector=x%3D1"])(
  "%s: entering is ADDED, leaving is DELETED with the last selected body",
  (selector) => {
    const { ok, watch } = session();
    const { metadata } = ok("POST", path, configMap("a"));
    ok("PATCH", `${path}/a`, { metadata: { labels: { x: "1" } } });
    ok("PATCH", `${path}/a`, { data: { k: "v" } });
    const left = ok("PATCH", `${path}/a`, { metadata: { labels: { x: null } } });
    const { first } = watch(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}&${selector}`);
    expect(seen(first)).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
    expect(first[2].object.metadata).toMatchObject({
      labels: { x: "1" },
      resourceVersion: left.metadata.resourceVersion,
    });
  },
);

it("one name's watch sees that object alone", () => {
  const { ok, watch } = session();
  for (const name of ["a", "b"]) ok("POST", path, configMap(name));
  expect(seen(watch(`${path}?watch=1&fieldSelector=metadata.name%3Db`).first)).toEqual(["ADDED b"]);
});

it("watches that ask for the same are told a turn in one text, each from where it was", () => {
  const { ok, watch, store, watches } = session();
  const [a, b, other] = [watch(`${path}?watch=1`), watch(`${path}?watch=1`), watch(`${path}?watch=1&labelSelector=x`)];
  const from = store.revision();
  ok("POST", path, configMap("first"));
  const late = watch(`${path}?watch=1`);
  ok("POST", path, configMap("second"));
  const changes = [...store.since(from)].filter((change) => typeof change === "object");
  const told = new Map<string, string>();
  const [toA, toB, toOther, toLate] = [a, b, other, late].map(({ spec }) =>
    watches.renderChanges(spec, changes, told).split("\n").filter(Boolean),
  );
  expect(toA).toHaveLength(2);
  expect(toB).toEqual(toA);
  expect(toOther).toEqual([]);
  expect(toLate).toEqual(toA?.slice(1));
  expect([a, b, late].map(({ spec }) => spec.revision)).toEqual(Array(3).fill(store.revision()));
});

describe("initial events", () => {
  it("end with a bookmark that says so", () => {
    const { ok, watch } = session();
    const { metadata } = ok("POST", path, configMap("a"));
    const { first } = watch(
      `${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect(first.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]);
    expect(first[1].object).toEqual({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: {
        resourceVersion: metadata.resourceVersion,
        annotations: { "k8s.io/initial-events-end": "true" },
      },
    });
  });

  it("need NotOlderThan", () => {
    expect(session().refusedWatch(`${path}?watch=1&sendInitialEvents=true`).details.causes).toEqual([
      {
        field: "resourceVersionMatch",
        reason: "FieldValueForbidden",
        message: "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
      },
    ]);
  });
});

describe("revisions", () => {
  it("of the future are refused with 504", () => {
    expect(session().refusedWatch(`${path}?watch=1&resourceVersion=9000`)).toMatchObject({
      code: 504,
      details: { retryAfterSeconds: 1 },
    });
  });

  it("that are compacted away become an ERROR event", () => {
    const { ok, store, watch } = session();
    const { metadata } = ok("POST", path, configMap("a"));
    ok("PATCH", `${path}/a`, { data: { k: "1" } });
    while (store.compact(0, 1000));
    const { first } = watch(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    expect(first).toMatchObject([{ type: "ERROR", object: { code: 410, reason: "Expired" } }]);
    expect(first[0].object.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
  });
});

it("as Tables, only the first event carries the columns", () => {
  const { ok, watch } = session();
  ok("POST", path, configMap("a", { data: { k: "1" } }));
  const { first, more } = watch(`${path}?watch=1`, "table");
  ok("PATCH", `${path}/a`, { data: { l: "2" } });
  const [initial, [next]] = [first, more()];
  expect(initial[0].object.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
    "Name",
    "Data",
    "Age",
  ]);
  expect(initial[0].object.rows[0]).toMatchObject({ cells: ["a", 1, "0s"], object: { kind: "PartialObjectMetadata" } });
  expect(next.object).toMatchObject({ columnDefinitions: null, rows: [{ cells: ["a", 2, "0s"] }] });
});

it("as metadata, events carry no data", () => {
  const { ok, watch } = session();
  ok("POST", path, configMap("a", { data: { k: "1" } }));
  const [{ object }] = watch(`${path}?watch=1`, "metadata").first;
  expect(Object.keys(object).toSorted()).toEqual(["apiVersion", "kind", "metadata"]);
});

it("of events.k8s.io sees what is written to the core group, in its own words", () => {
  const { ok, watch } = session();
  const { more } = watch("/apis/events.k8s.io/v1/namespaces/default/events?watch=1");
  const involvedObject = { kind: "Pod", namespace: "default", name: "x" };
  ok("POST", `${ns}/events`, { metadata: { name: "e" }, involvedObject, message: "m", type: "Normal", reason: "R" });
  expect(more()).toMatchObject([
    { type: "ADDED", object: { apiVersion: "events.k8s.io/v1", note: "m", regarding: involvedObject } },
  ]);
});

it("lasts as long as was asked for", () => {
  const { clock, watch } = session();
  expect(watch(`${path}?watch=1&timeoutSeconds=7`).spec.deadline).toBe(clock.now + 7000);
  expect(watch(`${path}?watch=1`).spec.deadline).toBe(clock.now + 2_700_000);
});

describe("a bookmark of a watch of Tables is a row of nothing", () => {
  const { kinds, watches, store, watch } = session();
  const watched = [...kinds.all()].filter(({ verbs }) => verbs.includes("watch"));
  it.each(watched.map((kind) => [kind.groupResource, kind] as const))("%s", (_, kind) => {
    const path = `${kind.group ? "/apis" : "/api"}/${kind.apiVersion}/${kind.resource}`;
    const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const { spec } = watch(`${path}?${query}`, "table");
    const { object } = JSON.parse(watches.bookmark({ ...spec, headed: false }, store.revision(), true));
    expect(object.rows).toMatchObject([
      { object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } },
    ]);
    expect(object.rows[0].cells).toHaveLength(kind.columns.length);
  });
});
