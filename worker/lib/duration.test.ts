import { expect, it } from "vitest";
import { age, humanDuration } from "./duration.ts";

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

it.each([
  [-3 * s, "<invalid>"],
  [-1 * s, "0s"],
  [0, "0s"],
  [119 * s, "119s"],
  [2 * m, "2m"],
  [5 * m + 30 * s, "5m30s"],
  [10 * m + 30 * s, "10m"],
  [179 * m, "179m"],
  [3 * h, "3h"],
  [3 * h + 20 * m, "3h20m"],
  [8 * h + 20 * m, "8h"],
  [47 * h, "47h"],
  [2 * d, "2d"],
  [3 * d + 4 * h, "3d4h"],
  [8 * d + 4 * h, "8d"],
  [730 * d, "2y"],
  [740 * d, "2y10d"],
  [8 * 365 * d + d, "8y"],
])("%d ms prints as %s", (ms, text) => expect(humanDuration(ms)).toBe(text));

it("an object without a time has no known age", () => {
  expect(age(undefined, 0)).toBe("<unknown>");
  expect(age("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:01:30Z"))).toBe("90s");
});
