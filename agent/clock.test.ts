import { expect, test } from "vitest";
import { clusterClock } from "./clock.ts";
import { effects } from "./effects.ts";

const HOUR = 3_600_000;

/** A machine whose clock says `wall`, which can be set, beside the time that passes. */
function machine() {
  const time = { wall: 1_000_000, steady: 1_000_000 };
  const pass = (ms: number) => {
    time.wall += ms;
    time.steady += ms;
  };
  return { time, pass, clock: clusterClock({ ...effects, now: () => time.steady, wall: () => time.wall }) };
}

test("a clock that is hours behind follows the cluster's, and a small difference is left alone", () => {
  const { clock, pass } = machine();
  expect(clock.now()).toBe(1_000_000);
  clock.setBy(1_000_300);
  expect(clock.now()).toBe(1_000_000);
  clock.setBy(1_000_000 + HOUR);
  pass(5_000);
  expect(clock.now()).toBe(1_005_000 + HOUR);
});

test("a machine that sets its clock moves no time of the agent's, before or after the cluster has told its own", () => {
  const { clock, time } = machine();
  clock.setBy(1_000_000 + HOUR);
  time.wall += HOUR;
  expect(clock.now()).toBe(1_000_000 + HOUR);
  clock.setBy(1_000_000 + HOUR);
  expect(clock.now()).toBe(1_000_000 + HOUR);
});

test("what the runtime tells by the machine's clock is understood, and nothing has happened in the future", () => {
  const { clock, time, pass } = machine();
  clock.setBy(1_000_000 + HOUR);
  pass(10_000);
  expect(clock.fromWall(time.wall - 4_000)).toBe(clock.now() - 4_000);
  expect(clock.fromWall(time.wall + HOUR)).toBe(clock.now());
});
