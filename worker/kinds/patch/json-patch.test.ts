import { expect, test } from "vitest";
import { oddities, readJsonPatch } from "./json-patch.ts";

const patched = (document: unknown, ...operations: unknown[]) => readJsonPatch(JSON.stringify(operations))(document);
const refusal = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { code: number; reason: string; message: string };
  }
  throw new Error("not refused");
};

test("every operation does what RFC 6902 says", () => {
  const document = { data: { k: "v", x: "y" } };
  const result = patched(
    document,
    { op: "test", path: "/data/k", value: "v" },
    { op: "replace", path: "/data/k", value: "w" },
    { op: "remove", path: "/data/x" },
    { op: "add", path: "/data/n", value: "1" },
    { op: "copy", from: "/data/k", path: "/data/c" },
    { op: "move", from: "/data/n", path: "/data/m" },
  );
  expect(result).toEqual({ data: { c: "w", k: "w", m: "1" } });
  expect(document).toEqual({ data: { k: "v", x: "y" } });
});

test("lists take indexes, the end and indexes from the end", () => {
  expect(patched({ l: [1, 2] }, { op: "add", path: "/l/0", value: 0 })).toEqual({ l: [0, 1, 2] });
  expect(patched({ l: [1, 2] }, { op: "add", path: "/l/-", value: 3 })).toEqual({ l: [1, 2, 3] });
  expect(patched({ l: [1, 2] }, { op: "add", path: "/l/2", value: 3 })).toEqual({ l: [1, 2, 3] });
  expect(patched({ l: [1, 2] }, { op: "remove", path: "/l/-1" })).toEqual({ l: [1] });
});

test("pointers escape / as ~1 and ~ as ~0", () => {
  const document = { metadata: { annotations: { "a/b~c": "1" } } };
  expect(patched(document, { op: "remove", path: "/metadata/annotations/a~1b~0c" })).toEqual({
    metadata: { annotations: {} },
  });
});

test.each([
  { op: "test", path: "/a", value: 2 },
  { op: "remove", path: "/b" },
  { op: "replace", path: "/b/c", value: 1 },
  { op: "replace", path: "/l/0", value: 1 },
  { op: "add", path: "/b/c", value: 1 },
  { op: "add", path: "/l/5", value: 1 },
  { op: "add", path: "/l/x", value: 1 },
  { op: "copy", from: "/b/c", path: "/c" },
  { op: "move", from: "/b", path: "/c" },
  { op: "frob", path: "/a" },
  { op: "add", path: "a", value: 1 },
  { op: "add", value: 1 },
  { op: "replace", path: "", value: 1 },
  { op: "remove", path: "/toString" },
])("an operation that does not fit is 422: %j", (operation) => {
  const error = refusal(() => patched({ a: 1, l: [] }, operation));
  expect(error).toMatchObject({
    code: 422,
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
  });
});

test("kube-apiserver is lenient about keys that are not there, and where a pointer begins", () => {
  expect(patched({}, { op: "replace", path: "/a", value: 1 })).toEqual({ a: 1 });
  expect(patched({}, { op: "copy", from: "/a", path: "/b" })).toEqual({ b: null });
  expect(patched({}, { op: "add", path: "x/a", value: 1 })).toEqual({ a: 1 });
  expect(patched({ l: ["x"] }, { op: "add", path: "/l/01", value: "y" })).toEqual({ l: ["x", "y"] });
  expect(patched({ a: 1 }, { op: "replace", path: "", value: {} })).toEqual({});
});

test("strict decoding tells of what no operation has", () => {
  const body = '[{"op":"test","path":"/a"},{"op":"test","path":"/a","foo":1}]';
  expect(oddities(body, ["[0].op"])).toEqual([
    'json patch duplicate field "[0].op"',
    'json patch unknown field "[1].foo"',
  ]);
});

test("a test of an absent field passes for null", () => {
  expect(patched({}, { op: "test", path: "/a", value: null })).toEqual({});
});

test("what is not a list of operations is 400", () => {
  expect(refusal(() => readJsonPatch('{"op":"remove"}'))).toMatchObject({
    code: 400,
    message: "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  });
  expect(refusal(() => readJsonPatch("[1]")).code).toBe(400);
  expect(refusal(() => readJsonPatch("[")).code).toBe(400);
});

test("too many operations are 413, and copies of copies are stopped", () => {
  const operations = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 }));
  expect(refusal(() => patched({ a: 1 }, ...operations)).code).toBe(413);
  const doubling = Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: "/d", path: `/d/${i}` }));
  expect(refusal(() => patched({ d: { x: "y".repeat(100_000) } }, ...doubling)).code).toBe(422);
});

test("a key named __proto__ stays a key", () => {
  const result = patched({ data: {} }, { op: "add", path: "/data/__proto__", value: "x" }) as { data: object };
  expect(JSON.stringify(result)).toBe('{"data":{"__proto__":"x"}}');
  expect(Object.getPrototypeOf(result.data)).toBe(Object.prototype);
});
