import { describe, expect, test } from "vitest";
import { type Facts, problemsOf } from "../../worker/lib/facts/problems.ts";
import type { Node, Pod, Workload } from "../api/objects.ts";
import { diff, shortened } from "./diff.ts";
import { appended, matching, plain } from "./log.ts";
import { moodOf, statusOf } from "./pods.ts";
import { count, duration } from "./words.ts";
import { byRevision, podsOf, progressOf } from "./workloads.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");
const meta = (name: string, more: object = {}) => ({
  name,
  namespace: "default",
  uid: `uid of ${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...more,
});
const pod = (name: string, status: Pod["status"], more: { spec?: object; metadata?: object } = {}): Pod => ({
  metadata: meta(name, more.metadata),
  spec: { nodeName: "node-a", containers: [{ name: "main", image: "app:1" }], ...more.spec },
  status,
});
const container = (more: object) => ({ name: "main", ready: false, restartCount: 0, image: "app:1", ...more });
const running = pod("fine", {
  phase: "Running",
  conditions: [{ type: "Ready", status: "True" }],
  containerStatuses: [container({ ready: true, state: { running: { startedAt: "" } } })],
});

describe("durations", () => {
  test.each([
    [0, "0s"],
    [119_000, "119s"],
    [120_000, "2m"],
    [150_000, "2m30s"],
    [7_200_000, "2h"],
    [3 * 86_400_000 + 3_600_000, "3d1h"],
    [40 * 86_400_000 + 3_600_000, "40d"],
    [-5, "0s"],
  ])("%i ms are %s", (ms, words) => expect(duration(ms)).toBe(words));

  test("one and many", () => expect([count(1, "pod"), count(0, "pod")]).toEqual(["1 pod", "0 pods"]));
});

describe("a pod's status is kubectl's", () => {
  test.each([
    ["Running", "good", running],
    ["Terminating", "busy", { ...running, metadata: meta("fine", { deletionTimestamp: "2026-01-01T00:00:01Z" }) }],
    ["Pending", "busy", pod("new", { phase: "Pending" })],
    [
      "CrashLoopBackOff",
      "bad",
      pod("bad", {
        phase: "Running",
        containerStatuses: [container({ state: { waiting: { reason: "CrashLoopBackOff" } } })],
      }),
    ],
    [
      "Completed",
      "done",
      pod("job", {
        phase: "Succeeded",
        containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: "Completed" } } })],
      }),
    ],
    [
      "Init:0/1",
      "busy",
      pod("starting", {
        phase: "Pending",
        initContainerStatuses: [container({ name: "first", state: { running: { startedAt: "" } } })],
      }),
    ],
    [
      "NotReady",
      "busy",
      pod("half", {
        phase: "Running",
        containerStatuses: [
          container({ state: { terminated: { exitCode: 0, reason: "Completed" } } }),
          container({ name: "other", ready: true, state: { running: { startedAt: "" } } }),
        ],
      }),
    ],
    [
      "Init:Error",
      "bad",
      pod("stuck", {
        phase: "Pending",
        initContainerStatuses: [container({ name: "first", state: { terminated: { exitCode: 1, reason: "Error" } } })],
      }),
    ],
  ] as const)("%s", (status, mood, of) => {
    expect([statusOf(of), moodOf(of)]).toEqual([status, mood]);
  });
});

describe("problems", () => {
  const node = (name: string, status: "True" | "False" | "Unknown", more: object[] = []): Node => ({
    metadata: meta(name, { namespace: undefined }),
    spec: {},
    status: {
      conditions: [
        { type: "Ready", status, message: "no network", lastTransitionTime: "2026-01-01T00:50:00Z" },
        ...more,
      ] as Node["status"]["conditions"],
    },
  });
  const problems = (facts: Partial<Facts>) =>
    problemsOf({ nodes: [], pods: [], workloads: [], claims: [], ...facts }, NOW);

  test("a cluster that is well has none", () => {
    expect(problems({ nodes: [node("node-a", "True")], pods: [running] })).toEqual([]);
  });

  test("a node that is silent is told once, and its pods not at all", () => {
    const crashing = pod("bad", {
      phase: "Running",
      containerStatuses: [container({ state: { waiting: { reason: "CrashLoopBackOff" } } })],
    });
    const [only, ...others] = problems({ nodes: [node("node-a", "Unknown")], pods: [crashing] });
    expect(others).toEqual([]);
    expect(only?.cause).toBe("Nothing was heard of it for 10m; 1 pod ran there.");
  });

  test("errors come before warnings", () => {
    const pressed = node("node-a", "True", [{ type: "DiskPressure", status: "True" }]);
    const found = problems({ nodes: [pressed, node("node-b", "False")] });
    expect(found.map(({ severity, name }) => `${severity} ${name}`)).toEqual(["error node-b", "warning node-a"]);
  });

  test("a pod that no node takes is told after a minute", () => {
    const pending = (creationTimestamp: string) =>
      pod(
        "waits",
        {
          phase: "Pending",
          conditions: [{ type: "PodScheduled", status: "False", message: "0/1 nodes are available: too small." }],
        },
        { spec: { nodeName: undefined }, metadata: { creationTimestamp } },
      );
    expect(problems({ pods: [pending("2026-01-01T00:59:30Z")] })).toEqual([]);
    expect(problems({ pods: [pending("2026-01-01T00:58:30Z")] })[0]?.cause).toContain("too small");
  });

  test("a crash loop tells its last end", () => {
    const ends = (terminated: object) =>
      pod("bad", {
        phase: "Running",
        containerStatuses: [
          container({
            restartCount: 7,
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated },
          }),
        ],
      });
    expect(problems({ pods: [ends({ exitCode: 3 })] })[0]?.cause).toContain("7 restarts, last by exit code 3");
    expect(problems({ pods: [ends({ exitCode: 137, reason: "OOMKilled" })] })[0]?.cause).toContain("more memory");
  });

  test("a rollout that stands still", () => {
    const workload: Workload = {
      kind: "Deployment",
      metadata: meta("web"),
      spec: { selector: {} },
      status: { conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }] },
    };
    expect(problems({ workloads: [workload] })[0]).toMatchObject({
      kind: "Deployment",
      name: "web",
      severity: "error",
    });
  });
});

describe("workloads", () => {
  const deployment = (spec: object, status: object): Workload => ({
    metadata: meta("web", { generation: 2 }),
    spec: { replicas: 3, selector: {}, ...spec },
    status: { observedGeneration: 2, replicas: 3, readyReplicas: 3, updatedReplicas: 3, ...status },
  });

  test.each([
    ["as wanted", "good", deployment({}, {})],
    ["1 of 3 updated", "busy", deployment({}, { updatedReplicas: 1 })],
    ["3 of 3 updated", "busy", deployment({}, { observedGeneration: 1 })],
    ["1 of before still there", "busy", deployment({}, { replicas: 4 })],
    ["2 of 3 ready", "busy", deployment({}, { readyReplicas: 2 })],
    ["paused", "busy", deployment({ paused: true }, {})],
    [
      "1 of 3 updated, as asked",
      "good",
      deployment({ updateStrategy: { rollingUpdate: { partition: 2 } } }, { updatedReplicas: 1 }),
    ],
    ["scaled to zero", "done", deployment({ replicas: 0 }, { replicas: 0, readyReplicas: 0, updatedReplicas: 0 })],
  ] as const)("%s", (words, mood, of) => {
    expect(progressOf(of)).toMatchObject({ words, mood });
  });

  test("a Deployment's pods are its ReplicaSets', by revision", () => {
    const owned = (uid: string) => ({ ownerReferences: [{ kind: "", name: "", uid }] });
    const set = { metadata: meta("web-1", owned("uid of web")), spec: {}, status: {} };
    const own = pod("web-1-a", {}, { metadata: { ...owned("uid of web-1"), labels: { "pod-template-hash": "1" } } });
    const foreign = pod("other", {}, { metadata: owned("uid of other-1") });
    expect(podsOf(deployment({}, {}), [own, foreign], [set])).toEqual([own]);
    expect(byRevision([own])).toEqual([["1", [own]]]);
  });
});

describe("logs", () => {
  test("escape sequences and control characters are taken out, text stays", () => {
    expect(plain("\u001b[31mred\u001b[0m\u0007\ta\rb \u001b]0;title\u0007é <b>")).toBe("red\tab é <b>");
  });

  test("the oldest lines are given up", () => {
    const lines = Array.from({ length: 6_000 }, (_, id) => ({ id, source: "", text: `Line ${id}` }));
    expect(appended([], lines)).toHaveLength(5_000);
    expect(appended([], lines).at(-1)?.text).toBe("Line 5999");
    expect(matching(lines, "LINE 599").map(({ id }) => id)).toEqual([
      599,
      ...Array.from({ length: 10 }, (_, n) => 5990 + n),
    ]);
  });
});

describe("differences", () => {
  test("what is left out, put in and the same", () => {
    const marks = diff("a\nb\nc\nd", "a\nc\nx\nd").map(({ mark, text }) => mark + text);
    expect(marks).toEqual([" a", "-b", " c", "+x", " d"]);
  });

  test("of equal texts nothing is shown, of others what is around the change", () => {
    const text = Array.from({ length: 20 }, (_, n) => `line ${n}`).join("\n");
    expect(shortened(diff(text, text))).toEqual([]);
    const shown = shortened(diff(text, text.replace("line 10\n", "")), 1);
    expect(shown.map((line) => line && line.mark + line.text)).toEqual([" line 9", "-line 10", " line 11", undefined]);
  });
});
