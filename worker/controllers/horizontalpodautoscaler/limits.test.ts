import { describe, expect, test } from "vitest";
import type { AutoscalingV2HorizontalPodAutoscalerBehavior as Behavior } from "../../kinds/generated/types.ts";
import { limit, longestPeriod } from "./limits.ts";
import { changed, type Memory, newMemory, recommended } from "./memory.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const BOUNDS = { min: 1, max: 100 };

const past = (...recommendations: [replicas: number, secondsAgo: number][]): Memory => ({
  ...newMemory("uid", 0, 0),
  recommendations: recommendations.map(([replicas, ago]) => ({ replicas, at: NOW - ago * SECOND })),
});
const pods = (value: number, periodSeconds = 60) => ({ type: "Pods", value, periodSeconds });
const percent = (value: number, periodSeconds = 60) => ({ type: "Percent", value, periodSeconds });

/** What a behavior is without being said. */
const filled = ({ scaleUp, scaleDown }: Behavior): Behavior => ({
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [pods(4, 15), percent(100, 15)],
    ...scaleUp,
  },
  scaleDown: { selectPolicy: "Max", policies: [percent(100, 15)], ...scaleDown },
});

describe("without a behavior", () => {
  test.each<[what: string, memory: Memory, current: number, desired: number, replicas: number, reasons: string[]]>([
    ["it is followed", past(), 3, 5, 5, ["ReadyForNewScale", "False DesiredWithinRange"]],
    ["at most to twice as many", past(), 5, 40, 10, ["ReadyForNewScale", "True ScaleUpLimit"]],
    ["or to four", past(), 1, 40, 4, ["ReadyForNewScale", "True ScaleUpLimit"]],
    ["at most to the maximum", past(), 80, 140, 100, ["ReadyForNewScale", "True TooManyReplicas"]],
    ["at least to the minimum", past(), 3, 0, 1, ["ReadyForNewScale", "True TooFewReplicas"]],
    [
      "not below the highest of five minutes",
      past([8, 299]),
      9,
      2,
      8,
      ["ScaleDownStabilized", "False DesiredWithinRange"],
    ],
    ["whatever was before them", past([8, 301]), 9, 2, 2, ["ReadyForNewScale", "False DesiredWithinRange"]],
    ["up at once, whatever was lower", past([2, 10]), 3, 5, 5, ["ReadyForNewScale", "False DesiredWithinRange"]],
  ])("%s", (_, memory, current, desired, replicas, reasons) => {
    const limited = limit(memory, undefined, BOUNDS, current, desired, NOW);
    expect(limited.replicas).toBe(replicas);
    const { isLimited, reason } = limited.limited;
    expect([limited.stabilized.reason, `${isLimited ? "True" : "False"} ${reason}`]).toEqual(reasons);
  });
});

describe("stabilization windows", () => {
  const windows = (up: number, down: number): Behavior =>
    filled({ scaleUp: { stabilizationWindowSeconds: up }, scaleDown: { stabilizationWindowSeconds: down } });
  test.each<
    [
      what: string,
      behavior: Behavior,
      memory: Memory,
      current: number,
      desired: number,
      replicas: number,
      reason: string,
    ]
  >([
    ["up: the lowest of the window", windows(60, 300), past([4, 50], [6, 20]), 3, 6, 4, "ScaleUpStabilized"],
    ["up: what is older does not count", windows(60, 300), past([4, 60], [6, 20]), 3, 6, 6, "ReadyForNewScale"],
    ["down: the highest of the window", windows(0, 120), past([7, 100], [5, 20]), 8, 2, 7, "ScaleDownStabilized"],
    ["down: no window, no wait", windows(0, 0), past([7, 1]), 8, 2, 2, "ReadyForNewScale"],
    ["down: five minutes where it does not say", filled({}), past([7, 200]), 8, 2, 7, "ScaleDownStabilized"],
    ["both: between them it stays", windows(60, 60), past([2, 30], [9, 20]), 5, 7, 5, "ScaleUpStabilized"],
  ])("%s", (_, behavior, memory, current, desired, replicas, reason) => {
    const limited = limit(memory, behavior, BOUNDS, current, desired, NOW);
    expect([limited.replicas, limited.stabilized.reason]).toEqual([replicas, reason]);
  });
});

describe("policies", () => {
  const NONE = past();
  const having = (difference: number, secondsAgo: number) =>
    changed(NONE, difference, NOW - secondsAgo * SECOND, MINUTE);
  const up = (...policies: ReturnType<typeof pods>[]) => filled({ scaleUp: { policies } });
  const down = (...policies: ReturnType<typeof pods>[]) =>
    filled({ scaleDown: { policies, stabilizationWindowSeconds: 0 } });
  const least = (behavior: Behavior, side: keyof Behavior, selectPolicy: string): Behavior => ({
    ...behavior,
    [side]: { ...behavior[side], selectPolicy },
  });
  test.each<
    [
      what: string,
      behavior: Behavior,
      memory: Memory,
      current: number,
      desired: number,
      replicas: number,
      reason: string,
    ]
  >([
    ["four pods up", up(pods(4)), NONE, 10, 50, 14, "ScaleUpLimit"],
    ["half as many up, rounded up", up(percent(50)), NONE, 5, 50, 8, "ScaleUpLimit"],
    ["the farthest of both", up(pods(4), percent(90)), NONE, 10, 50, 19, "ScaleUpLimit"],
    [
      "the nearest, where it says so",
      least(up(pods(4), percent(90)), "scaleUp", "Min"),
      NONE,
      10,
      50,
      14,
      "ScaleUpLimit",
    ],
    ["none at all", least(up(pods(4)), "scaleUp", "Disabled"), NONE, 10, 50, 10, "ScaleUpLimit"],
    ["what was added in the period counts", up(pods(4)), having(3, 30), 13, 50, 14, "ScaleUpLimit"],
    ["all of it", up(pods(4)), having(4, 30), 14, 50, 14, "ScaleUpLimit"],
    ["what was before does not", up(pods(4)), having(4, 60), 14, 50, 18, "ScaleUpLimit"],
    ["what was taken away gives room", up(pods(4)), having(-2, 30), 8, 50, 14, "ScaleUpLimit"],
    ["the maximum is before all", up(pods(400)), NONE, 10, 500, 100, "TooManyReplicas"],
    ["a few pods down", down(pods(4)), NONE, 80, 10, 76, "ScaleDownLimit"],
    ["a tenth down, rounded down", down(percent(10)), NONE, 79, 10, 71, "ScaleDownLimit"],
    ["the farthest down", down(pods(4), percent(10)), NONE, 80, 10, 72, "ScaleDownLimit"],
    ["the nearest down", least(down(pods(4), percent(10)), "scaleDown", "Min"), NONE, 80, 10, 76, "ScaleDownLimit"],
    ["the farthest of few", down(pods(4), percent(10)), NONE, 30, 10, 26, "ScaleDownLimit"],
    ["never down", least(down(pods(4)), "scaleDown", "Disabled"), NONE, 80, 10, 80, "ScaleDownLimit"],
    ["what was taken away counts", down(pods(4)), having(-3, 30), 77, 10, 76, "ScaleDownLimit"],
    ["the minimum is before all", down(percent(100)), NONE, 10, 0, 1, "TooFewReplicas"],
    ["as it was meant", down(percent(100)), NONE, 10, 4, 4, "DesiredWithinRange"],
    ["no change", down(pods(1)), NONE, 10, 10, 10, "DesiredWithinRange"],
  ])("%s", (_, behavior, memory, current, desired, replicas, reason) => {
    const limited = limit(memory, behavior, BOUNDS, current, desired, NOW);
    expect([limited.replicas, limited.limited.reason]).toEqual([replicas, reason]);
    expect(limited.limited.isLimited).toBe(reason !== "DesiredWithinRange");
  });

  test("the longest period says how long changes are kept", () => {
    expect(longestPeriod({ policies: [pods(1, 30), percent(1, 90)] })).toBe(90 * SECOND);
    const old = changed(changed(NONE, 1, NOW - 2 * MINUTE, MINUTE), 2, NOW, MINUTE);
    expect(old.ups).toEqual([{ replicas: 2, at: NOW }]);
  });
});

test("equal recommendations in a row are one, at the time of the last", () => {
  let memory = newMemory("uid", 3, NOW - 400 * SECOND);
  for (const [replicas, ago] of [
    [3, 300],
    [5, 200],
    [5, 100],
    [4, 0],
  ] as const)
    memory = recommended(memory, replicas, NOW - ago * SECOND, 250 * SECOND);
  expect(memory.recommendations).toEqual([
    { replicas: 5, at: NOW - 100 * SECOND },
    { replicas: 4, at: NOW },
  ]);
});
