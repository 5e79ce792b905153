import { describe, expect, it } from "vitest";
import { type Body, configMap, ns, pod, session } from "../testing/session.ts";

const names = (list: Body): string[] => list.items.map(({ metadata }: Body) => metadata.name);
const three = () => {
  const made = session();
  made.ok("POST", `${ns}/configmaps`, { metadata: { name: "a", labels: { x: "1", y: "a" } } });
  made.ok("POST", `${ns}/configmaps`, { metadata: { name: "b", labels: { x: "2" } } });
  const last = made.ok("POST", `${ns}/configmaps`, configMap("c")).metadata.resourceVersion;
  return { ...made, last };
};

it("a list names its kind once, for all items", () => {
  const { ok, last } = three();
  const list = ok("GET", `${ns}/configmaps`);
  expect(list).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: last } });
  expect(list.items[0]).not.toHaveProperty("kind");
});

it.each([
  ["labelSelector=x%3D1", ["a"]],
  ["labelSelector=x!%3D1", ["b", "c"]],
  ["labelSelector=x", ["a", "b"]],
  ["labelSelector=!x", ["c"]],
  ["labelSelector=x in (1,2),y", ["a"]],
  ["fieldSelector=metadata.name%3Db", ["b"]],
  ["fieldSelector=metadata.name!%3Db", ["a", "c"]],
  ["fieldSelector=metadata.namespace%3Dother", []],
])("%s finds %j", (query, found) => expect(names(three().ok("GET", `${ns}/configmaps?${query}`))).toEqual(found));

it.each([
  ["configmaps", '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'],
  ["pods", "field label not supported: data.k"],
])("%s are not selected by any field", (resource, message) => {
  const { code, body } = session().send("GET", `${ns}/${resource}?fieldSelector=data.k%3D1`);
  expect([code, body.message]).toEqual([400, message]);
});

it("pods are found by their node, over all namespaces too", () => {
  const { ok } = session();
  for (const [name, nodeName] of [
    ["a", "n1"],
    ["b", "n2"],
    ["c", "n1"],
  ] as const)
    ok("POST", `${ns}/pods`, pod(name, { nodeName }));
  expect(names(ok("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1"))).toEqual(["a", "c"]);
  expect(names(ok("GET", `${ns}/pods?fieldSelector=spec.nodeName%3Dn1,metadata.name%3Dc`))).toEqual(["c"]);
});

describe("pages", () => {
  it("are one snapshot, whatever is written meanwhile", () => {
    const { ok } = three();
    const first = ok("GET", `${ns}/configmaps?limit=1`);
    expect([names(first), first.metadata.remainingItemCount]).toEqual([["a"], 2]);
    ok("DELETE", `${ns}/configmaps/c`);
    ok("POST", `${ns}/configmaps`, configMap("bb"));
    const rest = ok("GET", `${ns}/configmaps?limit=5&continue=${first.metadata.continue}`);
    expect(names(rest)).toEqual(["b", "c"]);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(rest.metadata).not.toHaveProperty("continue");
  });

  it("of a selection are full, and do not say how many remain", () => {
    const { ok } = three();
    const first = ok("GET", `${ns}/configmaps?limit=1&labelSelector=x`);
    expect(names(first)).toEqual(["a"]);
    expect(first.metadata).not.toHaveProperty("remainingItemCount");
    const rest = ok("GET", `${ns}/configmaps?limit=1&labelSelector=x&continue=${first.metadata.continue}`);
    expect(names(rest)).toEqual(["b"]);
    expect(rest.metadata).not.toHaveProperty("continue");
  });

  it("whose snapshot is gone answer 410 with a token that goes on regardless", () => {
    const { ok, send, store } = three();
    const first = ok("GET", `${ns}/configmaps?limit=1`);
    ok("DELETE", `${ns}/configmaps/b`);
    while (store.compact(0, 1000));
    const { code, body } = send("GET", `${ns}/configmaps?limit=1&continue=${first.metadata.continue}`);
    expect([code, body.reason]).toEqual([410, "Expired"]);
    expect(names(ok("GET", `${ns}/configmaps?continue=${body.metadata.continue}`))).toEqual(["c"]);
  });

  it("show their first moment for five minutes, and then what is there", () => {
    const { ok, send, clock } = three();
    const first = ok("GET", `${ns}/configmaps?limit=1`);
    clock.now += 200_000;
    const second = ok("GET", `${ns}/configmaps?limit=1&continue=${first.metadata.continue}`);
    clock.now += 200_000;
    const { code, body } = send("GET", `${ns}/configmaps?limit=1&continue=${second.metadata.continue}`);
    expect([code, body.reason]).toEqual([410, "Expired"]);
    ok("POST", `${ns}/configmaps`, { metadata: { name: "d" } });
    const third = ok("GET", `${ns}/configmaps?limit=1&continue=${body.metadata.continue}`);
    expect(names(third)).toEqual(["c"]);
    expect(names(ok("GET", `${ns}/configmaps?continue=${third.metadata.continue}`))).toEqual(["d"]);
  });

  it.each(["xyz", "e30"])("do not go on from %s", (token) => {
    expect(session().send("GET", `${ns}/configmaps?continue=${token}`).body.reason).toBe("BadRequest");
  });
});

describe("resourceVersion", () => {
  it("Exact is the past, NotOlderThan the present", () => {
    const { ok, last } = three();
    ok("DELETE", `${ns}/configmaps/b`);
    const at = (match: string) =>
      names(ok("GET", `${ns}/configmaps?resourceVersion=${last}&resourceVersionMatch=${match}`));
    expect(at("Exact")).toEqual(["a", "b", "c"]);
    expect(at("NotOlderThan")).toEqual(["a", "c"]);
  });

  it("of the future is a timeout to be tried again", () => {
    const { body } = session().send("GET", `${ns}/configmaps?resourceVersion=9000`);
    expect(body).toMatchObject({
      code: 504,
      reason: "Timeout",
      details: { retryAfterSeconds: 1, causes: [{ reason: "ResourceVersionTooLarge" }] },
    });
    expect(body.message).toMatch(/^Timeout: Too large resource version: 9000, current: \d+$/);
  });

  it("that is compacted away is expired", () => {
    const { ok, send, store, last } = three();
    ok("DELETE", `${ns}/configmaps/b`);
    while (store.compact(0, 1000));
    const { code, body } = send("GET", `${ns}/configmaps?resourceVersion=${last}&resourceVersionMatch=Exact`);
    expect([code, body.message]).toEqual([410, "The resourceVersion for the provided list is too old."]);
  });

  it.each([
    ["resourceVersionMatch=Exact", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"],
    [
      "resourceVersion=0&resourceVersionMatch=Exact",
      'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      "resourceVersion=1&resourceVersionMatch=Roughly",
      'Unsupported value: "Roughly": supported values: "Exact", "NotOlderThan", ""',
    ],
  ])("%s is refused", (query, why) => {
    expect(session().send("GET", `${ns}/configmaps?${query}`).body.details.causes[0].message).toBe(why);
  });
});
