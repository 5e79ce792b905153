import { expect, test } from "vitest";
import { schemaOf } from "../tables.ts";
import { FieldSet } from "./fields/field-set.ts";
import { misconversion } from "./misconversion.ts";
import { allBut } from "./ownable.ts";
import { patchedText } from "./patched-text.ts";

test("of a patched document only what the patch reached has its keys sorted", () => {
  const before = { kind: "K", apiVersion: "v1", data: { b: "1", a: "2" }, list: [{ z: 1, y: 2 }] };
  expect(patchedText(before, { ...before, data: { b: "<", a: "2" } })).toBe(
    String.raw`{"apiVersion":"v1","data":{"a":"2","b":"\u003c"},"kind":"K","list":[{"z":1,"y":2}]}`,
  );
  expect(patchedText(before, { ...before, list: [{ z: 1, y: 3 }] })).toContain('"list":[{"y":3,"z":1}]');
});

const pod = schemaOf("io.k8s.api.core.v1.Pod");

test.each([
  [{ metadata: { labels: { a: 5 } } }, "cannot convert int64 to string"],
  [{ metadata: { labels: { a: true } } }, "unrecognized type: string"],
  [{ metadata: { labels: [1] } }, "cannot restore map from slice"],
  [{ spec: 5 }, "cannot restore struct from: int64"],
  [{ spec: { containers: "x" } }, "cannot restore slice from string"],
  [{ spec: { terminationGracePeriodSeconds: "5" } }, "unrecognized type: int64"],
  [{ spec: { containers: [{ name: "c", unknown: 5 }] } }, undefined],
])("what Go cannot make of %j", (object, problem) => {
  expect(misconversion(pod, object)).toBe(problem);
});

test("an endpoint leaves what it cannot change to others", () => {
  const fields = FieldSet.of(["f:spec"], ["f:status", "f:phase"], ["f:metadata", "f:labels", "f:a"]);
  expect(allBut("status", "metadata.labels")(fields).toFieldsV1()).toEqual({ "f:spec": {} });
});
