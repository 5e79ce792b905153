import { expect, test } from "vitest";
import { isTrue, portsOf } from "./query.ts";

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

test("ports to forward may be told one by one or together", () => {
  expect(portsOf(new URLSearchParams("ports=80&ports=81,82&ports=x"))).toEqual([80, 81, 82, Number.NaN]);
  expect(portsOf(new URLSearchParams(""))).toEqual([]);
});
