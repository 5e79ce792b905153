import { expect, test } from "vitest";
import type { Schema } from "../schema.ts";
import type { JsonObject } from "./json.ts";
import { readStrategicPatch, strategicMerge } from "./strategic-merge.ts";

const string: Schema = { type: "string" };
const strings: Schema = { type: "list", items: string };
const env: Schema = { type: "object", fields: { name: string, value: string } };
const container: Schema = {
  type: "object",
  fields: {
    name: string,
    image: string,
    command: strings,
    env: { type: "list", items: env, patchStrategy: "merge", patchMergeKey: "name" },
  },
};
const schema: Schema = {
  type: "object",
  fields: {
    labels: { type: "map", items: string },
    finalizers: { type: "list", items: string, patchStrategy: "merge" },
    containers: { type: "list", items: container, patchStrategy: "merge", patchMergeKey: "name" },
    strategy: { type: "object", patchStrategy: "retainKeys", fields: { type: string, rollingUpdate: { type: "any" } } },
    selector: { type: "object", patchStrategy: "replace", fields: { app: string, tier: string } },
  },
};

const merge = (document: JsonObject, patch: JsonObject) => strategicMerge(schema, document, patch);
const named = (...names: string[]) => names.map((name) => ({ name }));

test("maps merge, null deletes, other lists and replaced maps are taken whole", () => {
  expect(merge({ labels: { a: "1", b: "2" } }, { labels: { b: null, c: "3" } })).toEqual({
    labels: { a: "1", c: "3" },
  });
  expect(merge({ selector: { app: "a" } }, { selector: { tier: "b" } })).toEqual({ selector: { tier: "b" } });
  const document = { containers: [{ name: "c", command: ["a", "b"] }] };
  expect(merge(document, { containers: [{ name: "c", command: ["x"] }] })).toEqual({
    containers: [{ name: "c", command: ["x"] }],
  });
});

test("a list of maps merges by its key, at every depth", () => {
  const document = {
    containers: [
      { name: "c", image: "1" },
      {
        name: "d",
        image: "1",
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      },
    ],
  };
  const patch = {
    containers: [
      {
        name: "d",
        image: "2",
        env: [
          { name: "B", value: "3" },
          { name: "C", value: "4" },
        ],
      },
    ],
  };
  const before = structuredClone(document);
  expect(merge(document, patch)).toEqual({
    containers: [
      { name: "c", image: "1" },
      {
        name: "d",
        image: "2",
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "3" },
          { name: "C", value: "4" },
        ],
      },
    ],
  });
  expect(document).toEqual(before);
});

test("a list of primitives merges as a set, the patch's items first where nothing says otherwise", () => {
  expect(merge({ finalizers: ["a"] }, { finalizers: ["b"] })).toEqual({ finalizers: ["b", "a"] });
  expect(merge({ finalizers: ["a", "b"] }, { finalizers: ["b", "c"] })).toEqual({ finalizers: ["a", "b", "c"] });
});

test("$patch: delete removes an item or empties a map", () => {
  const patch = { containers: [{ name: "d", $patch: "delete" }] };
  expect(merge({ containers: named("c", "d") }, patch)).toEqual({ containers: named("c") });
  expect(merge({ labels: { a: "1" } }, { labels: { $patch: "delete" } })).toEqual({ labels: {} });
});

test("$patch: replace replaces a list or a map", () => {
  const patch = { containers: [{ name: "e" }, { $patch: "replace" }], labels: { c: "3", $patch: "replace" } };
  expect(merge({ containers: named("c", "d"), labels: { a: "1" } }, patch)).toEqual({
    containers: named("e"),
    labels: { c: "3" },
  });
});

test("where there is nothing to replace, a list's $patch goes, and a map that has one", () => {
  const patch = { containers: [{ name: "e" }, { $patch: "replace" }], labels: { c: "3", $patch: "replace" } };
  expect(merge({}, patch)).toEqual({ containers: named("e") });
});

test("$deleteFromPrimitiveList removes values", () => {
  const patch = { "$deleteFromPrimitiveList/finalizers": ["a", "x"], finalizers: ["c"] };
  expect(merge({ finalizers: ["a", "b"] }, patch)).toEqual({ finalizers: ["c", "b"] });
});

test("$setElementOrder orders the list; what it does not name keeps its place", () => {
  const patch = { "$setElementOrder/containers": named("d", "e", "c"), containers: [{ name: "e" }] };
  expect(merge({ containers: named("c", "d") }, patch)).toEqual({ containers: named("d", "e", "c") });
  const sparse = { "$setElementOrder/containers": named("c", "a") };
  expect(merge({ containers: named("a", "b", "c", "d") }, sparse)).toEqual({ containers: named("b", "c", "a", "d") });
  expect(merge({}, { "$setElementOrder/containers": named("a"), containers: named("a") })).toEqual({
    containers: named("a"),
  });
  expect(merge({ finalizers: ["a", "b"] }, { "$setElementOrder/finalizers": ["b", "a"] })).toEqual({
    finalizers: ["b", "a"],
  });
});

test("$retainKeys drops what it does not name", () => {
  const document = { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } };
  const patch = { strategy: { $retainKeys: ["type"], type: "Recreate" } };
  expect(merge(document, patch)).toEqual({ strategy: { type: "Recreate" } });
});

test("directives and nulls are gone from what is taken whole", () => {
  const patch = {
    labels: { a: "1", b: null },
    containers: [
      { name: "c", "$setElementOrder/env": named("A"), env: named("A") },
      { name: "d", $patch: "delete" },
    ],
  };
  expect(merge({}, patch)).toEqual({ labels: { a: "1" }, containers: [{ name: "c", env: named("A") }] });
});

test.each([
  [{ containers: [{ image: "x" }] }, 500, "map: map[image:x] does not contain declared merge key: name"],
  [{ labels: { $patch: "frob" } }, 500, "unknown patch type: frob in map: map[$patch:frob]"],
  [{ containers: ["x"] }, 400, "invalid patch format of primitive list"],
  [{ "$setElementOrder/containers": "x" }, 400, "invalid patch format of setElementOrder list"],
  [{ strategy: { $retainKeys: ["x"], type: "y" } }, 400, "invalid patch format of retainKeys"],
  [{ finalizers: [["x"]] }, 422, "the server rejected our request due to an error in our request"],
])("%j is refused with %i", (patch, code, message) => {
  const document = { containers: named("c"), labels: { a: "1" }, strategy: { type: "x" }, finalizers: ["a"] };
  expect(() => merge(document, patch)).toThrow(expect.objectContaining({ code, message }));
});

test("a long list merges in time that grows with its length", () => {
  // With the square of its length it would be minutes.
  const many = Array.from({ length: 200_000 }, (_, i) => ({ name: `c${i}` }));
  const merged = merge({ containers: many }, { containers: many });
  expect(merged.containers).toHaveLength(200_000);
});

test("what is not an object is 400", () => {
  expect(() => readStrategicPatch(schema, "[]")).toThrow(
    "json: cannot unmarshal array into Go value of type map[string]interface {}",
  );
});
