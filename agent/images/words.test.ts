import { expect, test } from "vitest";
import { aggregate, goMilliseconds, megabytes, pullFailure } from "./words.ts";

test.each([
  [0, "0s"],
  [0.4, "0s"],
  [5, "5ms"],
  [999.9, "999ms"],
  [1000, "1s"],
  [1230, "1.23s"],
  [60_000, "1m0s"],
  [83_004, "1m23.004s"],
  [3_600_000, "1h0m0s"],
])("%d ms are %s", (ms, text) => {
  expect(goMilliseconds(ms)).toBe(text);
});

test("sizes", () => {
  expect(megabytes(12_345_678)).toBe("12.3 MB");
});

test.each([
  [
    'failed to resolve reference "docker.io/library/app:1": docker.io/library/app:1: not found',
    'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/app:1": failed to resolve reference "docker.io/library/app:1": docker.io/library/app:1: not found',
  ],
  ["no space left on device", 'failed to pull and unpack image "docker.io/library/app:1": no space left on device'],
])("a pull that failed by %s", (cause, message) => {
  expect(pullFailure("app:1", cause)).toBe(message);
});

test("several errors", () => {
  expect(aggregate(["a"])).toBe("a");
  expect(aggregate(["a", "a"])).toBe("a");
  expect(aggregate(["a", "b", "a"])).toBe("[a, b]");
});
