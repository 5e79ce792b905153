/** From a pod's first init container to its last word, as kubectl shows it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CoreV1ContainerStatus, CoreV1Event, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { eventually, TestCluster } from "../support/cluster.ts";

let cluster: TestCluster;
let manifests = "";
beforeAll(async () => {
  manifests = mkdtempSync(join(tmpdir(), "skerry-manifests-"));
  cluster = await TestCluster.start({ flags: ["--node-name", "node-a", "--pod-manifest-path", manifests] });
  await cluster.apply(pods);
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(manifests, { recursive: true, force: true });
});

const podNamed = (name: string) => cluster.json<CoreV1Pod>(`get pod ${name}`);
const once = (name: string, holds: (pod: CoreV1Pod) => boolean | undefined) =>
  eventually(name, async () => {
    const pod = await podNamed(name);
    return holds(pod) && pod;
  });
const phase = (wanted: string) => (pod: CoreV1Pod) => pod.status?.phase === wanted;
const first = ({ status }: CoreV1Pod): CoreV1ContainerStatus | undefined => status?.containerStatuses?.[0];
const conditionsOf = ({ status }: CoreV1Pod) =>
  Object.fromEntries((status?.conditions ?? []).map((c) => [c.type, [c.status, c.reason].filter(Boolean).join(" ")]));
const eventsOf = async (name: string) =>
  (await cluster.json<{ items: CoreV1Event[] }>(`get events --field-selector involvedObject.name=${name}`)).items.map(
    ({ type, reason, message, involvedObject: { fieldPath } }) =>
      `${type} ${reason} ${fieldPath ?? "-"}: ${message ?? ""}`,
  );

const told = (name: string, event: string | RegExp) =>
  eventually(`${name} has the event ${event}`, async () =>
    (await eventsOf(name)).some((one) => (typeof event === "string" ? one === event : event.test(one))),
  );

const pod = (name: string, spec: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 5
${spec.replace(/^/gm, "  ")}
---`;
const app = (command: string, more = "") =>
  `containers:\n- { name: app, image: "busybox:test", command: [sh, -c, '${command}']${more && `, ${more}`} }`;

const pods = [
  `
apiVersion: batch/v1
kind: Job
metadata: { name: beside }
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 600
      volumes: [{ name: log, emptyDir: {} }]
      initContainers:
      - name: one
        image: busybox:test
        restartPolicy: Always
        command: [sh, -c, 'trap "echo one ends >>/log/all; cat /log/all; exit 0" TERM; echo one >>/log/all; while true; do sleep 0.1; done']
        startupProbe: { exec: { command: [grep, one, /log/all] }, periodSeconds: 1, timeoutSeconds: 60, failureThreshold: 100 }
        volumeMounts: [{ name: log, mountPath: /log }]
      - name: two
        image: busybox:test
        restartPolicy: Always
        command: [sh, -c, 'trap "sleep 0.3; echo two ends >>/log/all; exit 0" TERM; echo two >>/log/all; while true; do sleep 0.1; done']
        startupProbe: { exec: { command: [grep, two, /log/all] }, periodSeconds: 1, timeoutSeconds: 60, failureThreshold: 100 }
        lifecycle: { preStop: { exec: { command: [sh, -c, "echo hook of two >>/log/all"] } } }
        volumeMounts: [{ name: log, mountPath: /log }]
      - { name: setup, image: "busybox:test", command: [sh, -c, "echo setup >>/log/all"], volumeMounts: [{ name: log, mountPath: /log }] }
      containers:
      - { name: main, image: "busybox:test", command: [sh, -c, "echo main >>/log/all"], volumeMounts: [{ name: log, mountPath: /log }] }
---`,
  pod(
    "ruled",
    `restartPolicy: Never
volumes: [{ name: v, emptyDir: {} }]
${app(
  "test -f /v/once || { touch /v/once; exit 42; }",
  "restartPolicy: Never, restartPolicyRules: [{ action: Restart, exitCodes: { operator: In, values: [42] } }], volumeMounts: [{ name: v, mountPath: /v }]",
)}`,
  ),
  pod(
    "ill",
    `restartPolicy: Never\nterminationGracePeriodSeconds: 1\n${app(
      "sleep 1000",
      "livenessProbe: { exec: { command: [cat, /nothing] }, periodSeconds: 1, timeoutSeconds: 60, failureThreshold: 1, initialDelaySeconds: 1 }",
    )}`,
  ).replace("  terminationGracePeriodSeconds: 5\n", ""),
  pod(
    "hooked",
    app("sleep 1000", 'lifecycle: { postStart: { exec: { command: [sh, -c, "echo secret; exit 3"] } } }').replace(
      "sleep 1000",
      "exec sleep 1000",
    ),
  ),
  pod("late", `activeDeadlineSeconds: 3\n${app("true").replace("busybox:test", "registry.invalid/none:1")}`),
  pod(
    "said",
    `restartPolicy: Never\n${app("echo -n last words >/dev/termination-log; exit 3")}\n- { name: log, image: "busybox:test", terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, "for i in $(seq 200); do echo line $i; done; exit 4"] }`,
  ),
  pod("gated", `readinessGates: [{ conditionType: example.com/up }]\n${app("exec sleep 1000")}`),
  pod(
    "slow",
    app(
      "exec sleep 1000",
      'readinessProbe: { exec: { command: [sh, -c, "echo asked; sleep 333"] }, periodSeconds: 1, timeoutSeconds: 1 }',
    ),
  ),
  pod(
    "sized",
    `containers:
- name: app
  image: busybox:test
  command: [sh, -c, "exec sleep 1000"]
  resources: { requests: { cpu: 20m, memory: 16Mi }, limits: { cpu: 100m, memory: 32Mi } }
- name: anew
  image: busybox:test
  command: [sh, -c, "exec sleep 1000"]
  resizePolicy: [{ resourceName: memory, restartPolicy: RestartContainer }]
  resources: { requests: { memory: 16Mi } }`,
  ),
].join("\n");

describe("init containers and sidecars", () => {
  test("begin in order, and sidecars of a Job end after it, the last first", async () => {
    await cluster.ok("wait job/beside --for=condition=Complete --timeout=90s");
    await eventually("it has said all", async () => {
      expect(await cluster.ok("logs job/beside -c one")).toBe(
        `${["one", "two", "setup", "main", "hook of two", "two ends", "one ends"].join("\n")}\n`,
      );
      return true;
    });
    const [ended] = (await cluster.json<{ items: CoreV1Pod[] }>("get pods -l job-name=beside")).items;
    expect(ended?.status?.phase).toBe("Succeeded");
    const exits = ended?.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode);
    expect(exits).toEqual([0, 0, 0]);
  });
});

describe("containers that end", () => {
  test("are started again by their own rules, whatever the pod's policy", async () => {
    const ended = await once("ruled", phase("Succeeded"));
    expect(first(ended)).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 42 } } });
  });
  test("for a failed probe stay ended where the policy says so, and events say no more", async () => {
    const ended = await once("ill", phase("Failed"));
    expect(first(ended)?.state?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
    await told("ill", "Normal Killing spec.containers{app}: Container app failed liveness probe");
    await told("ill", /^Warning Unhealthy spec.containers\{app\}: Liveness probe failed: cat: can't open '\/nothing'/);
  });
  test("for a command of a probe that takes too long are not the container, and nothing of it is left", async () => {
    const failed =
      'Warning Unhealthy spec.containers{app}: Readiness probe failed: command timed out: "sh -c echo asked; sleep 333" timed out after 1s';
    await eventually("the probe is late", async () => (await eventsOf("slow")).includes(failed));
    await eventually("no more than one runs", async () => {
      const running = (await cluster.ok("exec slow -- ps -o args")).split("\n").filter((line) => line === "sleep 333");
      return running.length <= 1;
    });
    expect(first(await podNamed("slow"))).toMatchObject({ ready: false, restartCount: 0 });
  });
  test("for a failed hook tell in their state what it was, and events do not", async () => {
    const failed = await once(
      "hooked",
      (found) => first(found)?.state?.waiting !== undefined && first(found)?.lastState?.terminated !== undefined,
    );
    const { uid } = failed.metadata;
    const waiting = first(failed)?.state?.waiting;
    if (waiting?.reason === "PostStartHookError")
      expect(waiting.message).toBe(
        `Exec lifecycle hook ([sh -c echo secret; exit 3]) for Container "app" in Pod "hooked_default(${uid})" failed - error: command 'sh -c echo secret; exit 3' exited with 3: , message: "secret\\n"`,
      );
    else expect(waiting?.reason).toBe("CrashLoopBackOff");
    await told("hooked", "Warning FailedPostStartHook spec.containers{app}: PostStartHook failed");
    await told("hooked", "Normal Killing spec.containers{app}: FailedPostStartHook");
  });
  test("leave their last words", async () => {
    const { status } = await once("said", phase("Failed"));
    const [said, log] = status?.containerStatuses ?? [];
    expect(said?.state?.terminated).toMatchObject({ exitCode: 3, reason: "Error", message: "last words" });
    const lines = Array.from({ length: 80 }, (_, i) => `line ${121 + i}\n`).join("");
    expect(log?.state?.terminated?.message).toBe(lines);
  });
});

test("a pod past its deadline failed, though nothing of it ever ran", async () => {
  const ended = await once("late", phase("Failed"));
  expect(ended.status).toMatchObject({
    reason: "DeadlineExceeded",
    message: "Pod was active on the node longer than the specified deadline",
  });
  expect(first(ended)?.state?.terminated).toMatchObject({ exitCode: 137, reason: "ContainerStatusUnknown" });
  expect(conditionsOf(ended)).toMatchObject({ Ready: "False PodFailed", ContainersReady: "False PodFailed" });
});

test("a readiness gate is somebody else's word", async () => {
  const waits = await once("gated", (found) => conditionsOf(found).ContainersReady === "True");
  expect(conditionsOf(waits)).toMatchObject({ Ready: "False ReadinessGatesNotReady", PodScheduled: "True" });
  const status = { conditions: [{ type: "example.com/up", status: "True" }] };
  await cluster.ok(["patch", "pod", "gated", "--subresource=status", "-p", JSON.stringify({ status })]);
  const ready = await once("gated", (found) => conditionsOf(found).Ready === "True");
  expect(first(ready)?.user).toEqual({ linux: { uid: 0, gid: 0, supplementalGroups: [0] } });
});

describe("a resize", () => {
  const resize = (containers: object[]) =>
    cluster.ok(["patch", "pod", "sized", "--subresource=resize", "-p", JSON.stringify({ spec: { containers } })]);
  const memoryOf = (name: string) => (found: CoreV1Pod) => {
    const status = found.status?.containerStatuses?.find((each) => each.name === name);
    return status?.resources?.limits?.memory ?? status?.resources?.requests?.memory;
  };
  const isSettled = (found: CoreV1Pod) =>
    !Object.keys(conditionsOf(found)).some((type) => type.startsWith("PodResize"));
  test("is done in place, or by a new start where the container says so", async () => {
    await once("sized", (found) => conditionsOf(found).Ready === "True");
    await resize([
      { name: "app", resources: { limits: { memory: "48Mi" } } },
      { name: "anew", resources: { requests: { memory: "20Mi" } } },
    ]);
    const restarts = (found: CoreV1Pod) =>
      found.status?.containerStatuses?.map(({ name, restartCount }) => `${name} ${restartCount}`).join();
    await once(
      "sized",
      (found) =>
        memoryOf("app")(found) === "48Mi" &&
        memoryOf("anew")(found) === "20Mi" &&
        isSettled(found) &&
        restarts(found) === "anew 1,app 0",
    );
    await told("sized", /^Normal ResizeStarted -: Pod resize started: \{/);
    await told("sized", /^Normal ResizeCompleted -: Pod resize completed: \{/);
    await told("sized", "Normal Killing spec.containers{anew}: Container anew resize requires restart");
  });
  test("that the node has no room for, ever or below what is used, is refused, and says why", async () => {
    await resize([{ name: "app", resources: { requests: { memory: "9000Gi" }, limits: { memory: "9000Gi" } } }]);
    const refused = await once("sized", (found) => conditionsOf(found).PodResizePending !== undefined);
    expect(conditionsOf(refused).PodResizePending).toBe("True Infeasible");
    expect(memoryOf("app")(refused)).toBe("48Mi");
    await resize([{ name: "app", resources: { requests: { memory: "4Ki" }, limits: { memory: "4Ki" } } }]);
    const tooSmall = await once("sized", (found) => conditionsOf(found).PodResizeInProgress === "True Error");
    const condition = tooSmall.status?.conditions?.find(({ type }) => type === "PodResizeInProgress");
    expect(condition?.message).toMatch(/memory limit \(4096\) below current usage/);
    await resize([{ name: "app", resources: { requests: { memory: "16Mi" }, limits: { memory: "48Mi" } } }]);
    await once("sized", isSettled);
  });
});

describe("a debugging container", () => {
  test("sees what its target runs, and ends without an end for the pod", async () => {
    await once("gated", (found) => conditionsOf(found).ContainersReady === "True");
    const command = "debug gated --image=busybox:test --target=app -c look -- ps -o args";
    await cluster.ok(command);
    const looked = await once(
      "gated",
      (found) => found.status?.ephemeralContainerStatuses?.[0]?.state?.terminated !== undefined,
    );
    await eventually("what it saw", async () => (await cluster.ok("logs gated -c look")).includes("sleep 1000"));
    expect(looked.status?.phase).toBe("Running");
    expect(looked.status?.ephemeralContainerStatuses?.[0]).toMatchObject({
      name: "look",
      ready: false,
      state: { terminated: { exitCode: 0, reason: "Completed" } },
    });
  });
});

describe("static pods", () => {
  const write = (command: string) =>
    writeFileSync(join(manifests, "web.yaml"), pod("web", app(command)).replace("---", ""));
  test("run because a file says so, and come back in the API when deleted there", async () => {
    write("echo first; exec sleep 1000");
    const mirror = await once("web-node-a", (found) => conditionsOf(found).Ready === "True");
    expect(mirror.metadata.annotations).toMatchObject({ "kubernetes.io/config.source": "file" });
    expect(mirror.metadata.ownerReferences).toMatchObject([{ kind: "Node", name: "node-a", controller: true }]);
    await eventually("what it says", async () => (await cluster.ok("logs web-node-a")) === "first\n");
    await cluster.ok("delete pod web-node-a");
    const again = await once(
      "web-node-a",
      (found) => found.metadata.uid !== mirror.metadata.uid && conditionsOf(found).Ready === "True",
    );
    expect(first(again)?.containerID).toBe(first(mirror)?.containerID);
  });
  test("are others when their file changes, and gone with it", async () => {
    const before = await podNamed("web-node-a");
    write("echo second; exec sleep 1000");
    await once(
      "web-node-a",
      (found) => found.metadata.uid !== before.metadata.uid && conditionsOf(found).Ready === "True",
    );
    await eventually("what it says", async () => (await cluster.ok("logs web-node-a")) === "second\n");
    rmSync(join(manifests, "web.yaml"));
    await eventually("the pod is gone", async () => (await cluster.kubectl("get pod web-node-a")).code !== 0);
  });
  test("leave their logs where their Namespace says so, each that had the name its own", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: kept, annotations: { skerry.dev/keep-logs: 7d } }
`);
    for (let time = 0; time < 2; time++) {
      writeFileSync(
        join(manifests, "kept.yaml"),
        pod("kept", app("echo said; exec sleep 1000"))
          .replace("---", "")
          .replace("name: kept", "name: kept, namespace: kept"),
      );
      await cluster.ok("wait -n kept --for=create pod/kept-node-a --timeout=300s");
      await cluster.ok("wait -n kept --for=condition=Ready pod/kept-node-a --timeout=300s");
      rmSync(join(manifests, "kept.yaml"));
      await cluster.ok("wait -n kept --for=delete pod/kept-node-a --timeout=300s");
    }
    await eventually("both are kept", async () => {
      const { stdout } = await cluster.skerry("logs", "-n", "kept", "kept-node-a");
      return stdout === "kept-node-a | said\n".repeat(2);
    });
  });
});
