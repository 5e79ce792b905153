import { expect, test } from "vitest";
import { duplicateKeys } from "./duplicates.ts";

test("a key that comes twice in one object is a duplicate, named by its path", () => {
  expect(duplicateKeys('{"data":{"k":"1","k":"2"}}')).toEqual(["data.k"]);
  expect(duplicateKeys('{"a":[{"x":1},{"y":[[1,{"z":1,"z":2}]]}]}')).toEqual(["a[1].y[0][1].z"]);
  expect(duplicateKeys('{"a":1,"b":{"a":1},"a":2,"a":3}')).toEqual(["a"]);
});

test("the same key in two objects, and text that looks like keys, are no duplicates", () => {
  expect(duplicateKeys('{"a":{"k":1},"b":{"k":1},"c":[{"k":1},{"k":1}]}')).toEqual([]);
  expect(duplicateKeys('{"a":"{\\"a\\":1,","b":"a","c":"\\\\"}')).toEqual([]);
  expect(duplicateKeys('["a","a"]')).toEqual([]);
});

test("keys are compared by what they mean, not by how they are escaped", () => {
  expect(duplicateKeys('{"a":1,"\\u0061":2}')).toEqual(["a"]);
});
