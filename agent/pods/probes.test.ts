import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CoreV1Container, CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { effects } from "../effects.ts";
import type { NodeContext, PodState } from "./context.ts";
import type { Verdict } from "./handler.ts";
import { judge, Prober } from "./probes.ts";
import { someAttempt, someMemory, somePod } from "./testing.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

/** Probes one container for some seconds, each time with the next verdict, and returns what came of it. */
async function probed(
  more: Partial<CoreV1Container>,
  verdicts: Verdict[],
  {
    spec = {},
    seconds = 10,
    deleted = false,
  }: { spec?: Partial<CoreV1PodSpec>; seconds?: number; deleted?: boolean } = {},
) {
  const said: string[] = [];
  const asked: string[] = [];
  const container = { name: "app", image: "app:1", ...more };
  const pod = somePod({ containers: [container], ...spec });
  const memory = someMemory(pod, { app: { current: someAttempt({ startedAt: 0 }), started: !more.startupProbe } });
  const node = {
    effects,
    hostIPs: () => ["192.0.2.1"],
    nodeName: "n",
    events: {
      record: (_: unknown, type: string, reason: string, message: string) => said.push(`${type} ${reason}: ${message}`),
    },
    host: {
      allocatable: () => ({}),
      act: async ({ exec }: { exec: { command: string[] } }) => {
        asked.push(`${Math.floor(Date.now() / 1000)} ${exec.command[0]}`);
        return verdicts.shift() ?? { ok: true, output: "" };
      },
    },
  } as unknown as NodeContext;
  const prober: Prober = new Prober(node, { pod, memory, deleted } as unknown as PodState, () => prober.update());
  prober.update();
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  prober.stop();
  return { said, asked, known: memory.containers.app };
}

const no: Verdict = { ok: false, output: "no" };
const exec = (name: string, more: object = {}) => ({ exec: { command: [name] }, periodSeconds: 1, ...more });

test("a result counts once it came so often in a row", () => {
  const probe = { failureThreshold: 2, successThreshold: 2 };
  let streak = judge(undefined, false, probe);
  expect(streak.verdict).toBeUndefined();
  streak = judge(streak.streak, false, probe);
  expect(streak.verdict).toBe(false);
  streak = judge(streak.streak, true, probe);
  expect(streak.verdict).toBeUndefined();
  expect(judge(streak.streak, true, probe).verdict).toBe(true);
});

test("readiness is asked after its delay, again each period, and its failures are told", async () => {
  const readinessProbe = exec("ready", { initialDelaySeconds: 2 });
  const { said, asked, known } = await probed({ readinessProbe }, [no], { seconds: 4 });
  expect(asked).toEqual(["2 ready", "3 ready", "4 ready"]);
  expect(said).toEqual(["Warning Unhealthy: Readiness probe failed: no"]);
  expect(known?.ready).toBe(true);
});

test("others wait for the startup probe, which is asked no more once it passed", async () => {
  const probes = { startupProbe: exec("startup"), livenessProbe: exec("live"), readinessProbe: exec("ready") };
  const { asked, known } = await probed(probes, [no, no], { seconds: 3.5 });
  expect(asked.slice(0, 3)).toEqual(["0 startup", "1 startup", "2 startup"]);
  expect(asked.slice(3).toSorted()).toEqual(["2 live", "2 ready", "3 live", "3 ready"]);
  expect(known?.started).toBe(true);
});

test("what a failed probe ends is said as its restart policy has it, and it is asked no more", async () => {
  const livenessProbe = exec("live", { failureThreshold: 2, terminationGracePeriodSeconds: 7 });
  const { asked, known } = await probed({ livenessProbe }, [no, no]);
  expect(asked).toHaveLength(2);
  expect(known?.condemned).toEqual({
    message: "Container app failed liveness probe, will be restarted",
    graceSeconds: 7,
    again: true,
  });
  const never = await probed({ livenessProbe }, [no, no], { spec: { restartPolicy: "Never" } });
  expect(never.known?.condemned).toMatchObject({ message: "Container app failed liveness probe", again: false });
  const own = { livenessProbe, restartPolicy: "OnFailure" };
  expect((await probed(own, [no, no], { spec: { restartPolicy: "Never" } })).known?.condemned?.again).toBe(true);
});

test("what a sidecar's failed probe ends is started anew", async () => {
  const sidecar = {
    name: "app",
    image: "app:1",
    restartPolicy: "Always",
    startupProbe: exec("up", { failureThreshold: 1 }),
  };
  const spec = { restartPolicy: "Never", initContainers: [sidecar], containers: [{ name: "main", image: "i" }] };
  const { known } = await probed({ startupProbe: sidecar.startupProbe }, [no], { spec });
  expect(known?.condemned).toMatchObject({ message: "Init container app failed startup probe", again: true });
});

test("what could not be asked is asked three times, and says nothing of the container", async () => {
  const errored: Verdict = { ok: false, errored: true, output: "broken" };
  const livenessProbe = exec("live", { failureThreshold: 1, periodSeconds: 5 });
  const { said, asked, known } = await probed({ livenessProbe }, [errored, errored, errored], { seconds: 4 });
  expect(asked).toHaveLength(3);
  expect(said).toEqual(["Warning Unhealthy: Liveness probe errored and resulted in unknown state: broken"]);
  expect(known?.condemned).toBeUndefined();
});

test("users are warned of what went well in an odd way", async () => {
  const odd: Verdict = { ok: true, output: "", warning: "Probe terminated redirects, Response body: x" };
  const { said, known } = await probed({ readinessProbe: exec("ready") }, [odd], { seconds: 0 });
  expect(said).toEqual(["Warning ProbeWarning: Readiness probe warning: Probe terminated redirects, Response body: x"]);
  expect(known?.ready).toBe(true);
});

test("a pod that ends is only asked whether it is ready", async () => {
  const probes = { livenessProbe: exec("live"), readinessProbe: exec("ready") };
  const { asked } = await probed(probes, [], { seconds: 1, deleted: true });
  expect(asked).toEqual(["0 ready", "1 ready"]);
});
