import { describe, expect, test } from "vitest";
import { byAverage, byUtilization, byValue, byValuePerPod, type Grouped, MAX_INT64 } from "./calculator.ts";

const TOLERANCES = { up: 0.1, down: 0.1 };

/** Pods p0, p1, … that use so much; u… are not ready, m… were not measured. */
function pods(uses: readonly number[], { unready = 0, missing = 0 } = {}): Grouped {
  return {
    ready: uses.length,
    measured: new Map(uses.map((use, index) => [`p${index}`, BigInt(use)])),
    unready: Array.from({ length: unready }, (_, index) => `u${index}`),
    missing: Array.from({ length: missing }, (_, index) => `m${index}`),
  };
}

type Row = [what: string, current: number, uses: number[], target: number, replicas: number, more?: object];

describe("by the average of pods", () => {
  const rows: Row[] = [
    ["twice the target doubles", 2, [200, 200], 100, 4],
    ["half of it halves", 4, [50, 50, 50, 50], 100, 2],
    ["a tenth more is let pass", 3, [110, 110, 110], 100, 3],
    ["a little more than that is not", 3, [111, 111, 111], 100, 4],
    ["a tenth less is let pass", 3, [90, 90, 90], 100, 3],
    ["a little less than that is not, and is rounded up", 3, [89, 89, 89], 100, 3],
    ["fractions round up", 3, [120, 120, 120], 100, 4],
    ["an average is cut off, not rounded", 2, [110, 111], 100, 2],
    ["nothing used asks for nothing", 3, [0, 0, 0], 100, 0],
    ["who is missing counts as idle on the way up", 3, [400, 400], 100, 8, { missing: 1 }],
    ["as right on target on the way down", 4, [10, 10, 10], 100, 2, { missing: 1 }],
    ["and may turn it round, so that nothing changes", 4, [90, 90], 50, 4, { missing: 2 }],
    ["who is not ready counts as idle on the way up", 4, [300, 300], 100, 6, { unready: 2 }],
    ["and is left out on the way down", 4, [20, 20], 100, 1, { unready: 2 }],
    ["both dampen", 6, [500, 500], 100, 10, { unready: 2, missing: 2 }],
    ["never fewer where there are to be more", 8, [150, 150], 50, 8, { unready: 2 }],
    ["exactly on target, missing ones change nothing", 3, [100, 100], 100, 3, { missing: 1 }],
  ];
  test.each(rows)("%s", (_, current, uses, target, replicas, more = {}) => {
    expect(byAverage(current, BigInt(target), TOLERANCES, pods(uses, more)).replicas).toBe(replicas);
  });

  test("the average is of those that were measured", () => {
    expect(byAverage(3, 100n, TOLERANCES, pods([400, 300], { missing: 5 })).usage).toBe(350n);
  });

  test("each direction may have its own tolerance", () => {
    expect(byAverage(4, 100n, { up: 0.05, down: 0.5 }, pods([108, 108, 108, 108])).replicas).toBe(5);
    expect(byAverage(4, 100n, { up: 0.05, down: 0.5 }, pods([52, 52, 52, 52])).replicas).toBe(4);
    expect(byAverage(4, 100n, { up: 0, down: 0 }, pods([100, 100, 100, 100])).replicas).toBe(4);
    expect(byAverage(4, 100n, { up: 0, down: 0 }, pods([101, 101, 101, 101])).replicas).toBe(5);
  });
});

describe("by the share of requests", () => {
  const requests = (...amounts: number[]) =>
    new Map(
      amounts.flatMap((amount, index) =>
        ["p", "u", "m"].map((kind): [string, bigint] => [`${kind}${index}`, BigInt(amount)]),
      ),
    );

  const rows: [
    what: string,
    current: number,
    uses: number[],
    target: number,
    utilization: number,
    replicas: number,
    more?: object,
  ][] = [
    ["more than the target", 3, [300, 500, 700], 30, 50, 5],
    ["less than it", 5, [100, 300, 500, 250, 250], 50, 28, 3],
    ["as good as on it", 3, [1010, 1030, 1020], 100, 102, 3],
    ["all of what is requested, and twice as much", 2, [2000, 2000], 100, 200, 4],
    ["percents are cut off", 2, [559, 560], 50, 55, 2],
    ["missing on the way up", 2, [1000], 50, 100, 2, { missing: 1 }],
    ["missing on the way down uses all that it requests", 4, [100, 100], 50, 10, 4, { missing: 2 }],
    ["missing with a target above what is requested", 4, [100, 100], 300, 10, 3, { missing: 2 }],
    ["unready on the way up", 3, [1000, 1000], 30, 100, 7, { unready: 1 }],
  ];
  test.each(rows)("%s", (_, current, uses, target, utilization, replicas, more = {}) => {
    const all = requests(1000, 1000, 1000, 1000, 1000);
    const proposal = byUtilization(current, target, TOLERANCES, pods(uses, more), all);
    expect([proposal.utilization, proposal.replicas]).toEqual([utilization, replicas]);
  });

  test("pods may request differently", () => {
    const proposal = byUtilization(2, 50, TOLERANCES, pods([100, 900]), requests(100, 900));
    expect(proposal).toEqual({ replicas: 4, usage: 500n, utilization: 100 });
  });

  test("pods that nobody knows do not count", () => {
    expect(() => byUtilization(1, 50, TOLERANCES, pods([100]), new Map())).toThrow(
      "no metrics returned matched known pods",
    );
  });
});

describe("by one value", () => {
  test.each([
    ["for all", 2, 200n, 100n, 2, 4],
    ["which is on target", 3, 105n, 100n, 3, 3],
    ["of which only ready pods have a share", 3, 200n, 100n, 2, 4],
    ["from nothing", 0, 1n, 100n, 0, 1],
    ["from nothing, by more", 0, 250n, 100n, 0, 3],
    ["to nothing", 3, 0n, 100n, 3, 0],
    ["beyond all numbers", 3, MAX_INT64, 1n, 3, 2 ** 31 - 1],
  ])("%s", (_, current, usage, target, ready, replicas) => {
    expect(byValue(current, usage, target, TOLERANCES, () => ready)).toEqual({ replicas, usage });
  });

  test.each([
    ["shared evenly", 2, 400n, 100n, 4, 200n],
    ["with a remainder", 3, 400n, 150n, 3, 134n],
    ["within what is tolerated", 3, 310n, 100n, 3, 104n],
    ["less than there are", 5, 200n, 100n, 2, 40n],
    ["by none yet", 0, 250n, 100n, 3, 250n],
    ["beyond all numbers", 2, MAX_INT64, 1n, 2 ** 31 - 1, MAX_INT64],
  ])("%s", (_, running, usage, target, replicas, share) => {
    expect(byValuePerPod(running, usage, target, TOLERANCES)).toEqual({ replicas, usage: share });
  });
});
