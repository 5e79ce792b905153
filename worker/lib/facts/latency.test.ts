import { expect, test } from "vitest";
import { addHistograms, LATENCY_CLASSES, latencyClass, latencyQuantile } from "./latency.ts";

const histogram = (...took: number[]) => {
  const counts = Array<number>(LATENCY_CLASSES).fill(0);
  for (const ms of took) counts[latencyClass(ms)] = (counts[latencyClass(ms)] ?? 0) + 1;
  return counts;
};

test("an answer is in the class of the least bound that it kept, or in the last", () => {
  expect([0, 5, 5.1, 10_000, 10_001].map(latencyClass)).toEqual([0, 0, 1, 10, 11]);
});

test("a share of the answers came within what lies in their class; of none nothing is known", () => {
  const counts = histogram(...Array<number>(98).fill(7), 300, 20_000);
  expect(latencyQuantile(counts, 0.49)).toBe(7.5);
  expect(latencyQuantile(counts, 0.99)).toBe(500);
  expect(latencyQuantile(counts, 1)).toBe(10_000);
  expect(latencyQuantile(histogram(), 0.5)).toBeUndefined();
  expect(latencyQuantile([], 0.5)).toBeUndefined();
});

test("those of two are as if one had counted both", () => {
  expect(addHistograms(histogram(3, 40), histogram(3, 9_000))).toEqual(histogram(3, 40, 3, 9_000));
  expect(addHistograms([], [2])).toEqual([2, ...Array<number>(LATENCY_CLASSES - 1).fill(0)]);
});
