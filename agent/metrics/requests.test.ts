import { expect, test } from "vitest";
import { requestsIn } from "./requests.ts";

const took = (...counts: number[]) => [...counts, ...Array<number>(12 - counts.length).fill(0)];

test("what the edge and the proxy have seen is one, a second; what was counted while no agent ran is of no minute", () => {
  const edge = { ms: 60_000, answers: { "shop/services/web": { failed: 0, took: took(60) } } };
  const proxy = {
    ms: 20_000,
    answers: {
      "shop/services/web": { failed: 30, took: took(0, 30) },
      "shop/services/idle": { failed: 0, took: took() },
    },
  };
  const old = { ms: 3_600_000, answers: { "shop/services/web": { failed: 9, took: took(9) } } };
  expect(Object.fromEntries(requestsIn([edge, proxy, old]))).toEqual({
    "shop/services/web": { requests: 1.5, failed: 0.5, took0: 1, took1: 0.5 },
    "shop/services/idle": { requests: 0, failed: 0 },
  });
  expect(requestsIn([])).toEqual(new Map());
});
