/** A short torture; `npm run torture -- --rounds 500` is a long one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../support/cluster.ts";
import { torture } from "../support/torture.ts";

const ROUNDS = 20;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster?.stop();
});

test(`${ROUNDS} pods come and go while their agent is killed, and nothing is left of them`, async () => {
  const { before, after, kills } = await torture(cluster, { rounds: ROUNDS, seed: 1, log: () => {} });
  expect(kills).toBeGreaterThan(0);
  expect(after).toEqual(before);
});
