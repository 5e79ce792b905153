import { describe, expect, test } from "vitest";
import type { CoreV1Container, CoreV1PodSpec } from "../worker/kinds/generated/types.ts";
import { plan, planPod, type Step, type WantedPod } from "./plan.ts";
import type { ContainerMemory } from "./pods/memory.ts";
import type { Observed } from "./pods/observe.ts";
import { NOW, pause, someAttempt, someMemory, someObserved, somePod } from "./pods/testing.ts";

const exit = (code: number, finishedAt = NOW) => ({ code, reason: code ? "Error" : "Completed", finishedAt });
const running: ContainerMemory = { current: someAttempt(), started: true };
const ended = (code: number, more: Partial<ContainerMemory> = {}): ContainerMemory => ({
  current: someAttempt({ exit: exit(code) }),
  ...more,
});
const init = { name: "init", image: "app:1" };
const sidecar = { name: "side", image: "app:1", restartPolicy: "Always" };

const own = (restartPolicy: string, operator?: string, ...values: number[]): CoreV1Container => ({
  name: "app",
  image: "app:1",
  restartPolicy,
  ...(operator && { restartPolicyRules: [{ action: "Restart", exitCodes: { operator, values } }] }),
});

const sized = (cpu: string, resizePolicy: CoreV1Container["resizePolicy"] = []): Partial<CoreV1PodSpec> => ({
  containers: [{ name: "app", image: "app:1", resources: { limits: { cpu } }, resizePolicy }],
});
const sizedAt = (cpu: string): ContainerMemory => ({
  ...running,
  current: someAttempt({ resources: { limits: { cpu } } }),
});

type Case = {
  spec?: Partial<CoreV1PodSpec>;
  metadata?: { deletionTimestamp?: string; deletionGracePeriodSeconds?: number };
  containers?: Record<string, ContainerMemory>;
  observed?: Observed[];
  sandbox?: "none" | "dead";
  wanted?: Partial<WantedPod>;
  at?: number;
};

function planned(given: Case) {
  const pod = somePod(given.spec, given.metadata);
  const memory = someMemory(pod, given.containers);
  if (given.sandbox === "none") memory.sandbox = undefined;
  if (given.sandbox === "dead" && memory.sandbox) memory.sandbox.running = false;
  const observed = given.observed ?? [];
  const held = observed.find((o) => o.kind === "pause");
  if (held && memory.sandbox) memory.sandbox.pause = { id: held.id };
  const deleted = pod.metadata.deletionTimestamp !== undefined;
  const wanted = { uid: "u1", pod, deleted, volumesReady: true, ...given.wanted };
  return planPod(wanted, observed, given.at ?? NOW, memory);
}

const brief = (steps: readonly Step[]) =>
  steps.map((step) => {
    if ("container" in step) return `${step.do} ${step.container}`;
    return "ids" in step ? `${step.do} ${step.ids.join(",")}` : step.do;
  });

describe("a pod that should live", () => {
  const cases: [string, Case, string[]][] = [
    [
      "begins with its volumes and sandbox",
      { sandbox: "none", wanted: { volumesReady: false } },
      ["prepareVolumes", "createSandbox"],
    ],
    ["starts its containers once the sandbox runs", {}, ["pullImage app", "startContainer app"]],
    ["rests when all runs", { containers: { app: running } }, []],
    [
      "runs its first init container alone",
      { spec: { initContainers: [init] } },
      ["pullImage init", "startContainer init"],
    ],
    ["waits for an init container that runs", { spec: { initContainers: [init] }, containers: { init: running } }, []],
    [
      "goes on after an init container that ended well",
      { spec: { initContainers: [init] }, containers: { init: ended(0) } },
      ["pullImage app", "startContainer app"],
    ],
    [
      "tries a failed init container again",
      { spec: { initContainers: [init] }, containers: { init: ended(1) } },
      ["pullImage init", "startContainer init"],
    ],
    [
      "waits for a sidecar to have started",
      { spec: { initContainers: [sidecar] }, containers: { side: { ...running, started: false } } },
      [],
    ],
    [
      "goes on beside a started sidecar",
      { spec: { initContainers: [sidecar] }, containers: { side: running } },
      ["pullImage app", "startContainer app"],
    ],
    [
      "restarts a sidecar that ended, whatever the policy",
      { spec: { restartPolicy: "Never", initContainers: [sidecar] }, containers: { side: ended(0), app: running } },
      ["pullImage side", "startContainer side"],
    ],
    [
      "goes on with init while an earlier sidecar is started again",
      {
        spec: { initContainers: [sidecar, init] },
        containers: { side: ended(1), init: ended(0) },
      },
      ["pullImage side", "startContainer side", "pullImage app", "startContainer app"],
    ],
    [
      "waits with what comes after for a sidecar that ended before it had started",
      { spec: { initContainers: [sidecar, init] }, containers: { side: ended(1) } },
      ["pullImage side", "startContainer side"],
    ],
    [
      "leaves a passed init container alone though its sidecar goes on",
      { spec: { initContainers: [init, sidecar] }, containers: { side: running, app: running } },
      [],
    ],
    [
      "starts app containers again only beside the last sidecar",
      { spec: { initContainers: [sidecar] }, containers: { side: ended(1), app: ended(1) } },
      ["pullImage side", "startContainer side"],
    ],
    [
      "starts ephemeral containers though an init container fails",
      {
        spec: { initContainers: [init], ephemeralContainers: [{ name: "debug", image: "sh" }] },
        containers: { init: running },
      },
      ["pullImage debug", "startContainer debug"],
    ],
    [
      "restarts a container by its own policy, whatever the pod's",
      { spec: { restartPolicy: "Never", containers: [own("OnFailure")] }, containers: { app: ended(1) } },
      ["pullImage app", "startContainer app"],
    ],
    [
      "restarts a container by a rule for its exit code, before its policy",
      { spec: { restartPolicy: "Never", containers: [own("Never", "In", 42)] }, containers: { app: ended(42) } },
      ["pullImage app", "startContainer app"],
    ],
    [
      "restarts what was stopped to be started anew, whatever its policy",
      {
        spec: { restartPolicy: "Never" },
        containers: { app: { current: someAttempt({ exit: exit(137), replaced: true }) } },
      },
      ["pullImage app", "startContainer app"],
    ],
    ["restarts what failed", { containers: { app: ended(1) } }, ["pullImage app", "startContainer app"]],
    [
      "restarts what ended well, with policy Always",
      { containers: { app: ended(0) } },
      ["pullImage app", "startContainer app"],
    ],
    [
      "stops a container that is condemned",
      { containers: { app: { ...running, condemned: { message: "failed" } } } },
      ["stopContainer app"],
    ],
    [
      "stops a container whose image changed",
      { containers: { app: { ...running, current: someAttempt({ image: "app:0" }) } } },
      ["stopContainer app"],
    ],
    [
      "gives a running container its new limits",
      { spec: sized("200m"), containers: { app: sizedAt("100m") } },
      ["resizePod"],
    ],
    [
      "restarts a container for new limits where it says so",
      {
        spec: sized("200m", [{ resourceName: "cpu", restartPolicy: "RestartContainer" }]),
        containers: { app: sizedAt("100m") },
      },
      ["stopContainer app"],
    ],
    [
      "leaves a container whose limits are the same in other words",
      { spec: sized("0.2"), containers: { app: sizedAt("200m") } },
      [],
    ],
    [
      "removes doubles",
      { containers: { app: running }, observed: [pause(), someObserved(), someObserved({ id: "c9" })] },
      ["removeContainers c9"],
    ],
    ["removes what never ran", { observed: [pause(), someObserved({ state: "created" })] }, ["removeContainers c1"]],
    [
      "ends what lost its sandbox",
      { sandbox: "dead", containers: { app: running }, observed: [pause({ state: "exited" }), someObserved()] },
      ["killPod"],
    ],
    [
      "replaces a dead sandbox",
      { sandbox: "dead", containers: { app: ended(137) }, observed: [pause({ state: "created" })] },
      ["removeContainers p1", "createSandbox"],
    ],
    [
      "runs init containers again in a new sandbox",
      {
        spec: { initContainers: [init] },
        containers: {
          init: { current: someAttempt({ sandbox: "s0", exit: exit(0) }) },
          app: { current: someAttempt({ sandbox: "s0", exit: exit(137) }) },
        },
      },
      ["pullImage init", "startContainer init"],
    ],
    [
      "starts ephemeral containers beside the others, once",
      {
        spec: { ephemeralContainers: [{ name: "debug", image: "sh" }] },
        containers: { app: running, debug: ended(1) },
      },
      [],
    ],
  ];
  test.each(cases)("%s", (_, given, steps) => {
    expect(brief(planned(given).steps)).toEqual(steps);
  });
});

describe("a pod that is over", () => {
  const cases: [string, Case, string[]][] = [
    [
      "stays ended with policy Never",
      {
        spec: { restartPolicy: "Never" },
        containers: { app: ended(1) },
        observed: [someObserved({ state: "exited" })],
        sandbox: "dead",
      },
      [],
    ],
    [
      "stays ended with policy OnFailure when it succeeded",
      { spec: { restartPolicy: "OnFailure" }, containers: { app: ended(0) }, sandbox: "dead" },
      [],
    ],
    [
      "ends its sidecars",
      {
        spec: { restartPolicy: "Never", initContainers: [sidecar] },
        containers: { app: ended(0), side: running },
        observed: [someObserved({ container: "side" })],
      },
      ["killPod"],
    ],
    [
      "stays ended where no rule is for its exit code",
      { spec: { containers: [own("Never", "NotIn", 1)] }, containers: { app: ended(1) } },
      ["closeSandbox"],
    ],
    [
      "fails when an init container failed that its own policy does not restart",
      { spec: { initContainers: [{ ...init, restartPolicy: "Never" }] }, containers: { init: ended(1) } },
      ["closeSandbox"],
    ],
    [
      "keeps containers for their logs, not the sandbox",
      {
        spec: { restartPolicy: "Never" },
        containers: { app: ended(0) },
        observed: [pause({ state: "exited" }), someObserved({ state: "exited" })],
      },
      ["removeContainers p1", "closeSandbox"],
    ],
    [
      "fails when an init container failed for good",
      { spec: { restartPolicy: "Never", initContainers: [init] }, containers: { init: ended(1) } },
      ["closeSandbox"],
    ],
  ];
  test.each(cases)("%s", (_, given, steps) => {
    expect(brief(planned(given).steps)).toEqual(steps);
  });
});

describe("a pod that is being deleted", () => {
  const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 7 };
  test("is killed within its grace", () => {
    expect(planned({ metadata, containers: { app: running }, observed: [pause(), someObserved()] }).steps).toEqual([
      { do: "killPod", graceSeconds: 7 },
    ]);
  });
  test("is cleaned away and confirmed once nothing runs", () => {
    const observed = [pause({ state: "exited" }), someObserved({ state: "exited" })];
    expect(brief(planned({ metadata, observed }).steps)).toEqual([
      "removeContainers p1,c1",
      "cleanUp",
      "confirmDeletion",
    ]);
  });
  test("is not started, though it never ran", () => {
    expect(brief(planned({ metadata, sandbox: "none" }).steps)).toEqual(["cleanUp", "confirmDeletion"]);
  });
  test("is cleaned away without a word when nobody knows it any more", () => {
    expect(brief(planned({ wanted: { pod: undefined, deleted: true }, observed: [] }).steps)).toEqual(["cleanUp"]);
  });
});

describe("waiting", () => {
  const backoff = { delayMs: 20_000, since: NOW - 5_000 };
  test("a container in backoff says so and wakes when its time has come", () => {
    const given = { containers: { app: ended(1, { backoff }) } };
    expect(planned(given)).toEqual({
      steps: [{ do: "backOff", container: "app", until: NOW + 20_000 }],
      wakeAt: NOW + 20_000,
    });
    expect(brief(planned({ ...given, at: NOW + 20_000 }).steps)).toEqual(["pullImage app", "startContainer app"]);
  });
  test("a container that ended with its sandbox starts in the new one without backoff", () => {
    const current = someAttempt({ sandbox: "s0", exit: exit(255) });
    expect(brief(planned({ containers: { app: { current, backoff } } }).steps)).toEqual([
      "pullImage app",
      "startContainer app",
    ]);
  });
  test("another image begins without backoff", () => {
    const current = someAttempt({ image: "app:0", exit: exit(1) });
    expect(planned({ containers: { app: { current, backoff } } }).wakeAt).toBeUndefined();
  });
  test("what was stopped to be started anew waits only for the end before", () => {
    const current = someAttempt({ number: 2, exit: exit(137), replaced: true });
    const previous = (finishedAt: number) => someAttempt({ id: "c0", number: 1, exit: exit(137, finishedAt) });
    const wakeAt = (before?: number) =>
      planned({ containers: { app: { current, backoff, ...(before && { previous: previous(before) }) } } }).wakeAt;
    expect(wakeAt()).toBeUndefined();
    expect(wakeAt(NOW - 25_000)).toBeUndefined();
    expect(wakeAt(NOW - 5_000)).toBe(NOW + 20_000);
  });
  test("volumes that could not be made are tried again later", () => {
    const wanted = { volumesReady: false, retryAt: NOW + 10_000 };
    expect(planned({ sandbox: "none", wanted })).toEqual({ steps: [], wakeAt: NOW + 10_000 });
  });
  test("the cause of a failed pull is shown before the state says that it backs off", () => {
    const app: ContainerMemory = {
      waiting: { reason: "ErrImagePull" },
      retryAt: NOW + 10_000,
      pullBackoff: { delayMs: 10_000, since: NOW },
    };
    expect(planned({ containers: { app } })).toEqual({ steps: [], wakeAt: NOW + 3_000 });
    expect(brief(planned({ containers: { app }, at: NOW + 3_000 }).steps)).toEqual(["backOff app"]);
  });
  test("a pod past its activeDeadlineSeconds is ended", () => {
    const given = {
      spec: { activeDeadlineSeconds: 60 },
      containers: { app: running },
      observed: [pause(), someObserved()],
    };
    expect(planned(given)).toEqual({ steps: [], wakeAt: NOW + 60_000 });
    expect(brief(planned({ ...given, at: NOW + 60_000 }).steps)).toEqual(["endPod"]);
  });
});

test("containers of a pod that nobody wants are ended", () => {
  const stray = someObserved({ podUid: "u2", id: "c2" });
  const plans = plan([], [stray], NOW, new Map());
  expect(plans.get("u2")?.steps).toEqual([{ do: "killPod", graceSeconds: 30 }]);
});
