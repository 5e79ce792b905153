import { expect, test } from "vitest";
import { failedWords, latencyLine, latencyWords, rateWords } from "./requests.ts";

const took = (...counts: number[]) => ({ perSecond: 1, pending: 0, took: counts });

test("requests in words", () => {
  expect(rateWords({ perSecond: 0.04, pending: 0 })).toBe("0.0");
  expect(rateWords({ perSecond: 12.34, pending: 2 })).toBe("12.3, 2 waiting");
  expect(failedWords({ ...took(10, 20), failedPerSecond: 0.1 })).toBe("10 %");
  expect(failedWords({ ...took(1000), failedPerSecond: 1 / 30 })).toBe("<1 %");
  expect(failedWords(took(1000))).toBe("0 %");
  expect([failedWords(took()), latencyWords(took())]).toEqual(["", ""]);
  expect(latencyWords(took(0, 10))).toBe("8 ms, 10 ms");
  expect(latencyWords(took(90, 0, 0, 0, 0, 0, 0, 0, 10))).toBe("3 ms, 2.4 s");
});

test("a line of latency is interrupted where there were no answers", () => {
  const series = { requests: [1, 0, null, 2], took0: [1, 0, null, 0], took4: [0, 0, null, 2] };
  expect(latencyLine(series, 1)).toEqual([5, null, null, 100]);
  expect(latencyLine({}, 1)).toEqual([]);
});
