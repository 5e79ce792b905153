/**
 * What an idle cluster costs: nothing. Real workerd with the meter around the Worker, the agents' own link, and the real
 * kubectl holding a watch. The meter is read without waking anything.
 */
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../agent/effects.ts";
import { run, spawn } from "../agent/process.ts";
import { WATCH_MS } from "../agent/watchman.ts";
import type { MonthUsage } from "../worker/lib/facts/usage.ts";
import type { ModelNode } from "./bench/cost/node.ts";
import { MeteredPlane } from "./bench/cost/plane.ts";
import { NOTHING, type Usage } from "./bench/cost/usage.ts";
import { eventually } from "./support/cluster.ts";

/** The platform lets an object sleep ten seconds after the last event. */
const SLEEP_MS = 15_000;
/** Longer than four pings and two watches. */
const IDLE_MS = 45_000;

let plane: MeteredPlane;
const watchers: ChildProcess[] = [];

beforeAll(async () => {
  plane = await MeteredPlane.start();
  await plane.addNodes(["node-a"]);
});
afterAll(async () => {
  for (const watcher of watchers) watcher.kill();
  await plane?.stop();
});

/** `kubectl get … -w` in the background; what it has printed so far. */
function watch(...what: string[]): () => string {
  const env = { ...process.env, KUBECONFIG: plane.kubeconfig };
  const kubectl = spawn("kubectl", ["get", ...what, "--watch"], { env, stdio: ["ignore", "pipe", "inherit"] });
  watchers.push(kubectl);
  let printed = "";
  kubectl.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  return () => printed;
}

/** What is done after the last request is done: alarms that were set have gone off, and the object sleeps. */
async function asleep(): Promise<void> {
  await eventually("nothing more happens", async () => {
    const before = await plane.usage();
    await effects.sleep(SLEEP_MS);
    return same(before, await plane.usage());
  });
}

/** After which agents and clients may connect anew. */
const STILL_MS = 5_000;

/** What is used in so long a time; one in which the machine itself stood still tells nothing. */
async function usedIn(ms: number): Promise<Usage> {
  let longest = 0;
  const used = await plane.measure(async () => {
    const end = effects.now() + ms;
    for (let now = effects.now(); now < end; ) {
      await effects.sleep(100);
      const before = now;
      now = effects.now();
      longest = Math.max(longest, now - before);
    }
  });
  if (longest < STILL_MS) return used;
  await asleep();
  return usedIn(ms);
}

const same = (a: Usage, b: Usage) => JSON.stringify(a) === JSON.stringify(b);

describe("one node and an idle watch", () => {
  let printed: () => string;

  test("keep no object awake, write no row and bill nothing", async () => {
    printed = watch("configmaps");
    await eventually("the watch has begun", async () => printed().includes("kube-root-ca.crt"));
    await asleep();
    const used = await usedIn(IDLE_MS);
    expect(used).toEqual({ ...NOTHING, storedBytes: expect.any(Number) });
  });

  test("and what then happens is told, by an object that had to wake", async () => {
    const used = await plane.measure(async () => {
      await plane.ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "after-the-sleep" } });
      await eventually("the watch tells it", async () => printed().includes("after-the-sleep"));
    });
    expect(used).toMatchObject({ wakes: 1, objectRequests: 1, alarms: 0 });
    expect(used.rowsWritten).toBeGreaterThan(0);
  });
});

test("what was used this month is told to who may know, about as it was metered", async () => {
  const { month, rowsWritten, awakeMs } = await plane.ask<MonthUsage>("GET", "/skerry/usage");
  const metered = await plane.usage();
  expect(month).toMatch(/^\d{4}-\d\d$/);
  expect(awakeMs).toBeGreaterThan(0);
  expect(rowsWritten).toBeGreaterThan(metered.rowsWritten / 2);
  expect(rowsWritten).toBeLessThan(metered.rowsWritten * 2);
  const env = { ...process.env, KUBECONFIG: plane.kubeconfig };
  const refused = await run("kubectl", ["get", "--raw", "/skerry/usage", "--as", "nobody"], { env });
  expect(refused.stderr).toContain("Forbidden");
});

describe("two nodes and an idle watch", () => {
  let printed: () => string;
  let second: ModelNode | undefined;

  test("cost the watchman's word and nothing else", async () => {
    [second] = await plane.addNodes(["node-b"]);
    printed = watch("nodes");
    await eventually("both are Ready", async () => /node-a +Ready[\s\S]*node-b +Ready/.test(printed()));
    await eventually("alarms have gone off", async () => {
      const { alarms } = await plane.measure(() => effects.sleep(SLEEP_MS));
      return alarms === 0;
    });
    const used = await usedIn(2 * WATCH_MS);
    expect(used).toMatchObject({ rowsRead: 0, rowsWritten: 0, alarms: 0, objectRequests: 0 });
    // Two turns begin in this time, and a third where it is a little longer.
    expect(used.messages).toBeGreaterThan(0);
    expect(used.messages).toBeLessThanOrEqual(3);
  });

  test("notice a node that falls silent with nobody asking", async () => {
    second?.fallSilent();
    await eventually("kubectl is told", async () => /node-b +NotReady/.test(printed()));
    expect(printed()).not.toMatch(/node-a +NotReady/);
  });
});
