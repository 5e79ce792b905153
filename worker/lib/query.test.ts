import { expect, test } from "vitest";
import { isTrue } from "./query.ts";

test.each([
  ["true", true],
  ["True", true],
  ["1", true],
  ["", true],
  ["x", true],
  ["false", false],
  ["False", false],
  ["0", false],
  [null, false],
  [undefined, false],
])("a parameter that is %j is on: %j", (value, on) => {
  expect(isTrue(value)).toBe(on);
});
