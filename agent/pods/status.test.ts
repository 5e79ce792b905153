import { describe, expect, test } from "vitest";
import type { CoreV1Pod, CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import { type ContainerMemory, sandboxName } from "./memory.ts";
import { absorb } from "./observe.ts";
import { computeStatus, statusPatch } from "./status.ts";
import { NOW, pause, someAttempt, someMemory, someObserved, somePod } from "./testing.ts";

const context = { hostIPs: ["192.0.2.1"], now: NOW, deleted: false };
const exit = (code: number) => ({ code, reason: code ? "Error" : "Completed", finishedAt: NOW });
const running: ContainerMemory = { current: someAttempt(), started: true };
const ended = (code: number): ContainerMemory => ({ current: someAttempt({ exit: exit(code) }) });

const statusOf = (spec: Partial<CoreV1PodSpec>, containers: Record<string, ContainerMemory>, pod = somePod(spec)) =>
  computeStatus(pod, someMemory(pod, containers), context);
const conditionsOf = (status: ReturnType<typeof statusOf>) =>
  Object.fromEntries((status.conditions ?? []).map((c) => [c.type, c.reason ? `${c.status} ${c.reason}` : c.status]));

describe("phases", () => {
  const init = { name: "init", image: "app:1" };
  const cases: [string, Partial<CoreV1PodSpec>, Record<string, ContainerMemory>, string][] = [
    ["nothing started", {}, {}, "Pending"],
    ["init runs", { initContainers: [init] }, { init: running }, "Pending"],
    ["init failed for good", { initContainers: [init], restartPolicy: "Never" }, { init: ended(1) }, "Failed"],
    ["runs", {}, { app: running }, "Running"],
    ["crashed, to be restarted", {}, { app: ended(1) }, "Running"],
    ["succeeded", { restartPolicy: "OnFailure" }, { app: ended(0) }, "Succeeded"],
    ["failed, to be restarted", { restartPolicy: "OnFailure" }, { app: ended(1) }, "Running"],
    ["failed", { restartPolicy: "Never" }, { app: ended(1) }, "Failed"],
  ];
  test.each(cases)("%s", (_, spec, containers, phase) => {
    expect(statusOf(spec, containers).phase).toBe(phase);
  });
  const side = { name: "side", image: "app:1", restartPolicy: "Always" };
  const never: Partial<CoreV1PodSpec> = { restartPolicy: "Never", initContainers: [side] };
  test("a pod runs until its sidecars have ended, and then is what its app containers were", () => {
    expect(statusOf(never, { app: ended(0), side: running }).phase).toBe("Running");
    expect(statusOf(never, { app: ended(0), side: ended(137) }).phase).toBe("Succeeded");
  });
  test("a pod is pending until its sidecars have started, but not when they are started again", () => {
    const starting = { ...running, started: false };
    expect(statusOf(never, { side: starting }).phase).toBe("Pending");
    expect(statusOf(never, { app: running, side: starting }).phase).toBe("Running");
  });
  test("a container's own rules say whether its pod is over", () => {
    const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
    const app = { name: "app", image: "app:1", restartPolicy: "Never", restartPolicyRules: rules };
    expect(statusOf({ containers: [app] }, { app: ended(42) }).phase).toBe("Running");
    expect(statusOf({ containers: [app] }, { app: ended(1) }).phase).toBe("Failed");
  });
  test("a pod that is past its deadline is over when nothing of it runs", () => {
    const pod = somePod();
    const memory = { ...someMemory(pod, { app: running }), ended: { reason: "DeadlineExceeded", message: "late" } };
    const runs = computeStatus(pod, memory, context);
    expect([runs.phase, runs.reason]).toEqual(["Running", undefined]);
    expect(conditionsOf(runs)).toMatchObject({ Ready: "False PodFailed" });
    const over = computeStatus(pod, { ...memory, containers: { app: ended(137) } }, context);
    expect([over.phase, over.reason, over.message]).toEqual(["Failed", "DeadlineExceeded", "late"]);
  });
  test("a pod that ends before its containers began failed", () => {
    const pod = somePod({ initContainers: [init, { ...init, name: "next" }] });
    const status = computeStatus(pod, someMemory(pod), { ...context, deleted: true });
    expect(status.phase).toBe("Failed");
    const states = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(({ state }) =>
      state?.terminated ? `${state.terminated.exitCode} ${state.terminated.reason}` : state?.waiting?.reason,
    );
    expect(states).toEqual(["137 ContainerStatusUnknown", "PodInitializing", "PodInitializing"]);
    expect(computeStatus(somePod(), someMemory(somePod()), { ...context, deleted: true }).containerStatuses).toEqual([
      expect.objectContaining({ state: { terminated: expect.objectContaining({ exitCode: 137 }) } }),
    ]);
  });
  test("a pod that the node did not take has no containers to tell of", () => {
    const ended = { reason: "OutOfcpu", message: "Pod was rejected: no", rejected: true as const };
    const status = computeStatus(somePod(), { ...someMemory(somePod()), ended }, context);
    expect(status).toMatchObject({ phase: "Failed", reason: "OutOfcpu" });
    expect(status).not.toHaveProperty("containerStatuses");
  });
  test("what others gave as the reason stays with the phase", () => {
    const status = { phase: "Running", reason: "NodeLost", message: "gone" };
    const pod = { ...somePod(), status };
    expect(statusOf({}, { app: running }, pod)).toMatchObject(status);
    expect(statusOf({}, { app: running }, { ...pod, status: { ...status, phase: "Pending" } }).reason).toBeUndefined();
  });
  test("why a pod was evicted is a condition once it has ended", () => {
    const disruption = { reason: "TerminationByKubelet", message: "low" };
    const memory = {
      ...someMemory(somePod(), { app: ended(137) }),
      ended: { reason: "Evicted", message: "low", disruption },
    };
    expect(conditionsOf(computeStatus(somePod(), memory, context)).DisruptionTarget).toBe("True TerminationByKubelet");
  });
  test("a pod that is being deleted ends, whatever its restart policy", () => {
    const pod = somePod();
    expect(computeStatus(pod, someMemory(pod, { app: ended(0) }), { ...context, deleted: true }).phase).toBe(
      "Succeeded",
    );
  });
});

describe("conditions", () => {
  test("a pod is ready when its containers are", () => {
    expect(conditionsOf(statusOf({}, { app: running }))).toEqual({
      PodReadyToStartContainers: "True",
      Initialized: "True",
      Ready: "True",
      ContainersReady: "True",
      PodScheduled: "True",
    });
  });
  test("a readiness probe holds it back, by name", () => {
    const status = statusOf({ containers: [{ name: "app", image: "app:1", readinessProbe: {} }] }, { app: running });
    expect(conditionsOf(status)).toMatchObject({ Ready: "False ContainersNotReady" });
    expect(status.conditions?.find((c) => c.type === "Ready")?.message).toBe("containers with unready status: [app]");
  });
  test("a readiness gate holds back the pod, not its containers", () => {
    const spec = { readinessGates: [{ conditionType: "example.com/up" }] };
    expect(conditionsOf(statusOf(spec, { app: running }))).toMatchObject({
      Ready: "False ReadinessGatesNotReady",
      ContainersReady: "True",
    });
  });
  test("a completed pod says so", () => {
    expect(conditionsOf(statusOf({ restartPolicy: "Never" }, { app: ended(0) }))).toMatchObject({
      Initialized: "True PodCompleted",
      Ready: "False PodCompleted",
    });
  });
  test("a time of transition changes only with the status", () => {
    const pod = somePod();
    const memory = someMemory(pod, { app: running });
    computeStatus(pod, memory, context);
    const later = computeStatus(pod, memory, { ...context, now: NOW + 60_000 });
    expect(later.conditions?.every((c) => c.lastTransitionTime === "2026-01-01T00:00:00Z")).toBe(true);
  });
});

describe("container states", () => {
  const stateOf = (containers: Record<string, ContainerMemory>, pod: CoreV1Pod = somePod()) =>
    computeStatus(pod, someMemory(pod, containers), context).containerStatuses?.[0];
  test("not yet started", () => {
    expect(stateOf({})).toMatchObject({ state: { waiting: { reason: "ContainerCreating" } }, restartCount: 0 });
  });
  test("waiting for init containers", () => {
    const pod = somePod({ initContainers: [{ name: "init", image: "app:1" }] });
    expect(stateOf({}, pod)?.state).toEqual({ waiting: { reason: "PodInitializing" } });
    const { initContainerStatuses } = computeStatus(pod, { ...someMemory(pod, {}), sandbox: undefined }, context);
    expect(initContainerStatuses?.[0]?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  });
  test("what a container has, until it is given what it may have by now", () => {
    const resources = { requests: { cpu: "2" }, limits: { cpu: "3" } };
    const pod = somePod({ containers: [{ name: "app", image: "app:1", resources }] });
    const had = { requests: { cpu: "1" } };
    expect(stateOf({ app: { current: someAttempt({ resources: had }) } }, pod)).toMatchObject({
      resources: had,
      allocatedResources: { cpu: "2" },
    });
    expect(stateOf({ app: { current: someAttempt({ resources: had, exit: exit(0) }) } }, pod)?.resources).toEqual(
      resources,
    );
  });
  test("mounts, and whom it runs as", () => {
    const volumeMounts = [
      { name: "data", mountPath: "/data" },
      { name: "conf", mountPath: "/conf", readOnly: true },
    ];
    const user = { uid: 1000, gid: 2000, supplementalGroups: [2000, 3000] };
    const pod = somePod({ containers: [{ name: "app", image: "app:1", volumeMounts }] });
    expect(stateOf({ app: { current: someAttempt({ user }) } }, pod)).toMatchObject({
      volumeMounts: [volumeMounts[0], { ...volumeMounts[1], recursiveReadOnly: "Disabled" }],
      user: { linux: user },
    });
  });
  test("messages of all containers together have 12 KiB", () => {
    const message = "x".repeat(4096);
    const containers = ["d", "c", "b", "a"].map((name) => ({ name, image: "app:1" }));
    const current = someAttempt({ exit: { ...exit(1), message } });
    const memory = Object.fromEntries(containers.map(({ name }) => [name, { current }]));
    const { containerStatuses = [] } = statusOf({ containers, restartPolicy: "Never" }, memory);
    expect(containerStatuses.map(({ name, state }) => [name, state?.terminated?.message?.length])).toEqual(
      ["a", "b", "c", "d"].map((name) => [name, 3072]),
    );
  });
  test("in backoff, the last end is in lastState", () => {
    const waiting = { reason: "CrashLoopBackOff", message: "back-off" };
    const status = stateOf({ app: { current: someAttempt({ number: 3, exit: exit(2) }), waiting } });
    expect(status?.state).toEqual({ waiting });
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 2, containerID: "containerd://c1" });
    expect(status?.restartCount).toBe(3);
  });
});

describe("what the runtime says", () => {
  const read = { message: () => "why", isOom: () => false };
  const network = {
    addressOf: () => "10.0.0.2",
    allOf: (ip: string) => [ip, "fd00::2"],
    pathOf: (sandbox: string) => `/run/netns/${sandbox}`,
  };
  test("a container that ended gets its exit code and message", () => {
    const memory = someMemory(somePod(), { app: { current: someAttempt() } });
    absorb(memory, [someObserved({ state: "exited", exitCode: 3, finishedAt: NOW + 5 })], network, NOW, read);
    expect(memory.containers.app?.current?.exit).toEqual({
      code: 3,
      reason: "Error",
      message: "why",
      finishedAt: NOW + 5,
    });
  });
  test("one killed for want of memory is OOMKilled", () => {
    const memory = someMemory(somePod(), { app: { current: someAttempt({ oom: true }) } });
    absorb(memory, [someObserved({ state: "exited", exitCode: 137 })], network, NOW, read);
    expect(memory.containers.app?.current?.exit?.reason).toBe("OOMKilled");
  });
  test("one that is gone without a trace has ended, with an unknown cause", () => {
    const memory = someMemory(somePod(), { app: { current: someAttempt() } });
    absorb(memory, [], network, NOW, read);
    expect(memory.containers.app?.current?.exit).toMatchObject({ code: 137, reason: "ContainerStatusUnknown" });
  });
  test("without a memory, containers are adopted by their labels", () => {
    const memory = { ...someMemory(somePod()), sandbox: undefined };
    const observed = [
      someObserved({ id: "old", attempt: 1, state: "exited", sandbox: sandboxName("u1", 1) }),
      pause({ attempt: 2, sandbox: sandboxName("u1", 2) }),
      someObserved({ id: "new", attempt: 2, sandbox: sandboxName("u1", 2) }),
    ];
    absorb(memory, observed, network, NOW, read);
    expect(memory.sandbox).toEqual({
      id: "u1-2",
      number: 2,
      ip: "10.0.0.2",
      ips: ["10.0.0.2", "fd00::2"],
      network: "/run/netns/u1-2",
      pause: { id: "p1", pid: 100 },
      running: true,
    });
    expect(memory.sandboxes).toBe(3);
    expect(memory.containers.app?.current).toMatchObject({ id: "new", number: 2 });
    expect(memory.containers.app?.previous?.id).toBe("old");
    expect(memory.containers.app?.started).toBe(true);
  });
});

test("a patch clears what is no more and replaces an address", () => {
  const ready = { type: "Ready", status: "False", reason: "ContainersNotReady", observedGeneration: 1 };
  const others = { type: "Others", status: "True", reason: "Theirs" };
  const before = { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }], message: "old", conditions: [ready, others] };
  const host = { hostIP: "192.0.2.2", hostIPs: [{ ip: "192.0.2.2" }] };
  const conditions = [{ type: "Ready", status: "True", observedGeneration: 2 }];
  const next = { phase: "Running", podIP: "10.0.0.2", podIPs: [{ ip: "10.0.0.2" }], ...host, conditions };
  expect(statusPatch(before, next)).toEqual({
    phase: "Running",
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }, { $patch: "replace" }],
    hostIP: "192.0.2.2",
    hostIPs: [{ ip: "192.0.2.2" }, { $patch: "replace" }],
    message: null,
    conditions: [{ type: "Ready", status: "True", observedGeneration: 2, reason: null }],
  });
});

test("mounts are told with what became of their read-only modes", () => {
  const volumeMounts = [
    { name: "a", mountPath: "/a" },
    { name: "b", mountPath: "/b", readOnly: true },
    { name: "c", mountPath: "/c", readOnly: true, recursiveReadOnly: "IfPossible" },
    { name: "d", mountPath: "/d", readOnly: true, recursiveReadOnly: "Enabled" },
  ];
  const pod = somePod({ containers: [{ name: "app", image: "app:1", volumeMounts }] });
  const told = (recursiveReadOnly: boolean) =>
    computeStatus(pod, someMemory(pod), { ...context, recursiveReadOnly }).containerStatuses?.[0]?.volumeMounts;
  const b = { name: "b", mountPath: "/b", readOnly: true, recursiveReadOnly: "Disabled" };
  const [a, c, d] = [
    { name: "a", mountPath: "/a" },
    { ...b, name: "c", mountPath: "/c" },
    { ...b, name: "d", mountPath: "/d" },
  ];
  expect(told(false)).toEqual([a, b, c, d]);
  expect(told(true)).toEqual([a, b, { ...c, recursiveReadOnly: "Enabled" }, { ...d, recursiveReadOnly: "Enabled" }]);
});
