import { expect, test } from "vitest";
import { goDuration, heldUntil, raise } from "./backoff.ts";

test("the first failure waits for nothing, the next ones 10 s doubling to 5 min", () => {
  let backoff: ReturnType<typeof raise> | undefined;
  let now = 0;
  const waits: number[] = [];
  for (let failure = 0; failure < 8; failure++) {
    waits.push(heldUntil(backoff, now) - now);
    now = heldUntil(backoff, now);
    backoff = raise(backoff, now, now);
  }
  expect(waits.map((ms) => ms / 1000)).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

test("ten minutes without trouble make the next failure the first again", () => {
  const backoff = { delayMs: 300_000, since: 0 };
  expect(heldUntil(backoff, 600_000)).toBe(900_000);
  expect(heldUntil(backoff, 600_001)).toBe(600_001);
  expect(raise(backoff, 600_001, 600_001).delayMs).toBe(10_000);
});

test("a shorter most is kept to, also as the first", () => {
  let backoff = raise(undefined, 0, 0, 15_000);
  backoff = raise(backoff, 0, 0, 15_000);
  expect(backoff.delayMs).toBe(15_000);
  expect(heldUntil(backoff, 30_001)).toBe(30_001);
  expect(raise(undefined, 0, 0, 2_000).delayMs).toBe(2_000);
});

test("durations print as Go prints them", () => {
  expect([10_000, 80_000, 300_000].map(goDuration)).toEqual(["10s", "1m20s", "5m0s"]);
});
