import { expect, test } from "vitest";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import type { Cgroup, Memory } from "./cgroup.ts";
import type { PodOnNode } from "./node.ts";
import { Sampler } from "./sampler.ts";
import { nodeUsage } from "./usage.ts";

/** Containers that use a given part of a processor each, on a clock that only waits move. */
function prepared(parts: Record<string, number>) {
  let now = 1_000_000;
  const timers: { at: number; body: () => void }[] = [];
  const effects: Effects & Timers = {
    now: () => now,
    random: () => 0,
    uid: () => "",
    async sleep(ms) {
      pass(ms);
    },
    after(ms, body) {
      const timer = { at: now + ms, body };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  function pass(ms: number): void {
    const end = now + ms;
    for (;;) {
      const next = timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      timers.splice(timers.indexOf(next), 1);
      now = next.at;
      next.body();
    }
    now = end;
  }
  const starts = new Map<string, number>();
  const used = (id: string) => (parts[id] ?? 0) * (now - (starts.get(id) ?? 0)) * 1e6;
  const memory = { usage: 20, workingSet: 10 } as Memory;
  const cgroup = {
    cpu(path: string) {
      const ids = path === "/" || path === "/pod" ? Object.keys(parts) : [path.slice("/pod/".length)];
      return ids.reduce((sum, id) => sum + used(id), 0);
    },
    memory: () => memory,
  } as unknown as Cgroup;
  const containers: Record<string, { current: object }> = {};
  const start = (id: string) => {
    starts.set(id, now);
    containers[id] = { current: { id, pid: Object.keys(containers).length + 1, startedAt: now } };
  };
  const memoryOfPod = { uid: "u", name: "p", namespace: "default", startedAt: now, containers };
  const present = () => [{ pod: {}, memory: memoryOfPod, deleted: false } as unknown as PodOnNode];
  const pathOf = (pid: number) => `/pod/${Object.keys(containers)[pid - 1]}`;
  const sampler = new Sampler({ present, effects }, cgroup, pathOf);
  const rates = async () => nodeUsage(await sampler.rates(), true);
  return { sampler, start, pass, rates, timers, now: () => now };
}

const of = (name: string, cpu: number, windowMs: number) => ({ name, cpu, memory: 10, windowMs });

test("who asks first waits a second, and later ones get what was over ten and more", async () => {
  const { start, pass, rates } = prepared({ a: 0.5 });
  start("a");
  pass(60_000);
  expect(await rates()).toEqual({
    at: 1_061_000,
    node: { cpu: 5e8, memory: 10, windowMs: 1000 },
    pods: [{ uid: "u", containers: [of("a", 5e8, 1000)] }],
  });
  pass(15_000);
  expect((await rates()).node?.windowMs).toBe(16_000);
});

test("what began since has used all that it used", async () => {
  const { start, pass, rates } = prepared({ a: 0.5, b: 0.25 });
  start("a");
  pass(60_000);
  await rates();
  pass(7_000);
  start("b");
  pass(5_000);
  expect((await rates()).pods?.[0]?.containers).toEqual([of("a", 5e8, 13_000), of("b", 2.5e8, 5_000)]);
});

test("a pod that has just begun is not told of yet", async () => {
  const { start, pass, rates } = prepared({ a: 0.5 });
  pass(60_000);
  await rates();
  start("a");
  pass(999);
  expect((await rates()).pods).toEqual([]);
  pass(1);
  expect((await rates()).pods).toHaveLength(1);
});

test("nothing is looked at once nobody has asked for a minute", async () => {
  const { pass, rates, timers, start } = prepared({ a: 0.5 });
  start("a");
  expect(timers).toHaveLength(0);
  await rates();
  pass(30_000);
  expect(timers).toHaveLength(1);
  pass(60_000);
  expect(timers).toHaveLength(0);
  pass(3_600_000);
  expect((await rates()).node?.windowMs).toBe(1000);
});

test("without pods nothing is told of them", async () => {
  const { sampler, start, pass } = prepared({ a: 0.5 });
  start("a");
  pass(5_000);
  expect(nodeUsage(await sampler.rates(), false)).not.toHaveProperty("pods");
});
