import { expect, test } from "vitest";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Ended } from "../pods/memory.ts";
import { gracePeriods, inOrder, NodeShutdown } from "./shutdown.ts";

const pod = (name: string, priority?: number, grace?: number) => ({
  uid: name,
  pod: {
    metadata: { name },
    spec: {
      containers: [],
      ...(priority !== undefined && { priority }),
      ...(grace && { terminationGracePeriodSeconds: grace }),
    },
  } as CoreV1Pod,
});

const names = (groups: ReturnType<typeof inOrder<ReturnType<typeof pod>>>) =>
  groups.map(({ seconds, pods }) => [seconds, ...pods.map(({ uid }) => uid)]);

test("the last of the time is for critical pods", () => {
  expect(gracePeriods(30, 10)).toEqual([
    { priority: 0, seconds: 20 },
    { priority: 2_000_000_000, seconds: 10 },
  ]);
  expect(gracePeriods(0, 0)).toEqual([]);
  expect(() => gracePeriods(10, 20)).toThrow();
  const pods = [pod("a"), pod("critical", 2_000_001_000), pod("low", -5), pod("high", 1_000_000)];
  expect(names(inOrder(gracePeriods(30, 10), pods))).toEqual([
    [20, "a", "low", "high"],
    [10, "critical"],
  ]);
});

test("pods go with the period of the priority next below theirs", () => {
  const periods = [
    { priority: 100_000, seconds: 10 },
    { priority: 0, seconds: 60 },
    { priority: 10_000, seconds: 180 },
  ];
  const pods = [pod("p5", 5), pod("p10k", 10_000), pod("p99k", 99_999), pod("p200k", 200_000), pod("none")];
  expect(names(inOrder(periods, pods))).toEqual([
    [60, "p5", "none"],
    [180, "p10k", "p99k"],
    [10, "p200k"],
  ]);
});

function node(pods: ReturnType<typeof pod>[], takes: Record<string, number>) {
  let now = 0;
  const ended = new Map<string, { at: number; verdict: Ended }>();
  const told: string[] = [];
  const shutdown = new NodeShutdown({
    pods: () => pods,
    end: (uid, verdict) => void ended.set(uid, { at: now, verdict }),
    isRunning: (uid) => now < (ended.get(uid)?.at ?? 0) + (takes[uid] ?? 0),
    tellNode: (_, reason, message) => told.push(`${reason}: ${message}`),
    effects: {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
      after: () => () => {},
    },
    log: () => {},
    changed: () => told.push(`active: ${shutdown.active}`),
  });
  return { shutdown, ended, told, now: () => now };
}

test("critical pods end last, and none waits for longer than its group may take", async () => {
  const pods = [pod("quick", 0, 5), pod("slow", 0, 300), pod("critical", 2_000_000_000)];
  const { shutdown, ended, told, now } = node(pods, { quick: 1_000, slow: 60_000, critical: 2_000 });
  await shutdown.begin(gracePeriods(30, 10));
  expect([ended.get("quick")?.at, ended.get("slow")?.at, ended.get("critical")?.at, now()]).toEqual([
    0, 0, 20_000, 22_000,
  ]);
  expect(ended.get("quick")?.verdict).toEqual({
    reason: "Terminated",
    message: "Pod was terminated in response to imminent node shutdown.",
    graceSeconds: 5,
    disruption: {
      reason: "TerminationByKubelet",
      message: "Pod was terminated in response to imminent node shutdown.",
    },
  });
  expect(ended.get("slow")?.verdict.graceSeconds).toBe(20);
  expect(told).toEqual(["NodeShutdown: Shutdown manager detected shutdown event", "active: true"]);
});

test("what is called off lets the node be", async () => {
  const { shutdown, told } = node([], {});
  await shutdown.begin(gracePeriods(30, 10));
  shutdown.cancel();
  expect([shutdown.active, told.at(-1)]).toEqual([false, "active: false"]);
});
