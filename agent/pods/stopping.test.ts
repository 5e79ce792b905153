import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { effects } from "../effects.ts";
import type { NodeContext, PodState } from "./context.ts";
import { killPod } from "./stopping.ts";
import { someAttempt, someMemory, somePod } from "./testing.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

type Program = { pid: number /** How long it takes to end after SIGTERM (ms). */; takes: number };

/** Kills a pod whose programs end as told, and returns what happened when, in seconds. */
async function killed(spec: Partial<CoreV1PodSpec>, programs: Record<string, Program>, graceSeconds: number) {
  const said: string[] = [];
  const say = (what: string) => said.push(`${Date.now() / 1000} ${what}`);
  const alive = new Map(Object.entries(programs).map(([name, { pid }]) => [pid, name]));
  const signal = (pid: number, name: string) => {
    const container = alive.get(pid) ?? "";
    say(`${name} ${container}`);
    const takes = name === "SIGKILL" ? 0 : (programs[container]?.takes ?? 0);
    effects.after(takes, () => alive.delete(pid) && say(`end ${container}`));
  };
  const pod = somePod(spec);
  const containers = Object.fromEntries(
    Object.entries(programs).map(([name, { pid }]) => [
      name,
      { current: someAttempt({ id: name, pid, startTicks: "1" }) },
    ]),
  );
  const node = {
    effects,
    events: { record: () => {} },
    hostIPs: () => ["192.0.2.1"],
    host: {
      processes: { startTicks: (pid: number) => (alive.has(pid) ? "1" : undefined), signal },
      act: async ({ sleep }: { sleep: { seconds: number } }, { container }: { container: { name: string } }) => {
        say(`hook ${container.name}`);
        await effects.sleep(sleep.seconds * 1000);
        return { ok: true, output: "" };
      },
    },
  } as unknown as NodeContext;
  const state = {
    pod,
    memory: someMemory(pod, containers),
    exited: () => new Promise(() => {}),
  } as unknown as PodState;
  const done = killPod(node, state, () => graceSeconds).then(() => say("done"));
  await vi.advanceTimersByTimeAsync(60_000);
  await done;
  return said;
}

const preStop = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });
const side = (name: string, more: object = {}) => ({ name, image: "i", restartPolicy: "Always", ...more });
const app = (name: string, more: object = {}) => ({ name, image: "i", ...more });

test("sidecars get their signal after the app containers, the last that began first", async () => {
  const spec = { initContainers: [side("a"), side("b")], containers: [app("main")] };
  const programs = { a: { pid: 1, takes: 1000 }, b: { pid: 2, takes: 1000 }, main: { pid: 3, takes: 3000 } };
  const said = (await killed(spec, programs, 30)).filter((line) => !line.includes("done"));
  expect(said.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
    "SIGTERM main",
    "end main",
    "SIGTERM b",
    "end b",
    "SIGTERM a",
    "end a",
  ]);
});

test("hooks of all containers run at once, and their signals wait for them", async () => {
  const spec = { initContainers: [side("a", preStop(2))], containers: [app("main", preStop(5))] };
  const said = await killed(spec, { a: { pid: 1, takes: 0 }, main: { pid: 2, takes: 0 } }, 30);
  expect(said.slice(0, 2).toSorted()).toEqual(["0 hook a", "0 hook main"]);
  expect(said.find((line) => line.includes("SIGTERM"))).toBe("5 SIGTERM main");
});

test("a sidecar whose turn does not come gets its signal when the grace is over, and two seconds more", async () => {
  const spec = { initContainers: [side("a")], containers: [app("main")] };
  const never = 1_000_000;
  const said = await killed(spec, { a: { pid: 1, takes: never }, main: { pid: 2, takes: never } }, 5);
  const signals = said.filter((line) => line.includes("SIG"));
  expect(signals).toEqual(["0 SIGTERM main", "5 SIGTERM a", "5 SIGKILL main", "7 SIGKILL a"]);
});

test("whoever has no grace left has two seconds all the same", async () => {
  const said = await killed({}, { app: { pid: 1, takes: 1_000_000 } }, 0);
  expect(said.slice(0, 2)).toEqual(["0 SIGTERM app", "2 SIGKILL app"]);
});
