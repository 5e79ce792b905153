import { expect, test } from "vitest";
import { clusterClock } from "./clock.ts";
import { effects } from "./effects.ts";

const HOUR = 3_600_000;

test("a clock that is hours behind follows the cluster's, and a small difference is left alone", () => {
  const machine = { now: 1_000_000 };
  const clock = clusterClock({ ...effects, now: () => machine.now });
  expect(clock.now()).toBe(1_000_000);
  clock.setBy(machine.now + 300);
  expect(clock.now()).toBe(1_000_000);
  clock.setBy(machine.now + HOUR);
  machine.now += 5_000;
  expect(clock.now()).toBe(1_005_000 + HOUR);
});

test("a machine that sets its clock right in between is not set right twice", () => {
  const machine = { now: 1_000_000 };
  const clock = clusterClock({ ...effects, now: () => machine.now });
  clock.setBy(machine.now + HOUR);
  machine.now += HOUR;
  clock.setBy(machine.now);
  expect(clock.now()).toBe(1_000_000 + HOUR);
});
