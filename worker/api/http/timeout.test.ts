import { expect, test } from "vitest";
import { durationProblem } from "./timeout.ts";

test.each(["0", "1s", "-1.5h", "+1h2m3.5s", ".5s", "1.s", "3us"])("%j is a duration", (text) => {
  expect(durationProblem(text)).toBeUndefined();
});

test.each([
  ["x", 'time: invalid duration "x"'],
  ["5", 'time: missing unit in duration "5"'],
  ["5x", 'time: unknown unit "x" in duration "5x"'],
  ["1s.", 'time: invalid duration "1s."'],
  ["-", 'time: invalid duration "-"'],
])("%j is none", (text, problem) => {
  expect(durationProblem(text)).toBe(problem);
});
