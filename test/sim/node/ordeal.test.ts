import { expect, test } from "vitest";
import { ordeal } from "./ordeal.ts";

test("a node that was hurt in every way runs what it should, and nothing twice", { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { wrong } = await ordeal(seed);
    expect(wrong, `seed ${seed}`).toEqual([]);
  }
});

test("one seed is one history", async () => {
  const [first, second] = [await ordeal(7), await ordeal(7)];
  expect(first.cluster.log).toEqual(second.cluster.log);
  expect(first.cluster.seen).toEqual(second.cluster.seen);
});
