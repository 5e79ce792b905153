import { expect, test } from "vitest";
import type { CoreV1Pod, CoreV1PodStatus } from "../../worker/kinds/generated/types.ts";
import { StatusReporter } from "./reporter.ts";

const ready = (status: "True" | "False"): CoreV1PodStatus => ({
  phase: "Running",
  conditions: [{ type: "Ready", status }],
});

const pod = (revision: number, status: CoreV1PodStatus): CoreV1Pod => ({
  metadata: { name: "web", namespace: "default", uid: "u", resourceVersion: String(revision) },
  spec: { containers: [] },
  status,
});

/** A reporter whose timers run at once and whose requests are answered by hand, with the pod at a revision. */
function reporting() {
  const answers: ((revision: number, code?: number) => Promise<void>)[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const reporter = new StatusReporter({
    api: () =>
      new Promise((resolve) => {
        answers.push((revision, code = 200) => {
          resolve({ code, body: { metadata: { resourceVersion: String(revision) } } });
          return settle();
        });
      }),
    timers: {
      after: (_, body) => {
        const timer = setImmediate(body);
        return () => clearImmediate(timer);
      },
      sleep: settle,
    },
    log: () => {},
  });
  const report = async (of: CoreV1Pod, next: CoreV1PodStatus) => {
    reporter.report(of, next);
    await settle();
    await settle();
  };
  return { reporter, report, answers, settle };
}

test("what others wrote of a pod is put right, also when it is heard of before the answer to what was told", async () => {
  const { report, answers } = reporting();
  await report(pod(1, ready("False")), ready("True"));
  await report(pod(3, ready("False")), ready("True")); // 2 was this node's own write
  await answers[0]?.(2);
  expect(answers).toHaveLength(2);
  await answers[1]?.(4);
  await report(pod(4, ready("True")), ready("True"));
  expect(answers).toHaveLength(2);
});

test("news that is older than the answer contradicts nothing", async () => {
  const { report, answers } = reporting();
  await report(pod(1, ready("False")), ready("True"));
  await answers[0]?.(3);
  await report(pod(2, ready("False")), ready("True"));
  expect(answers).toHaveLength(1);
});

test("a pod that is no more is not told of again and again", async () => {
  const { report, answers } = reporting();
  await report(pod(1, ready("False")), ready("True"));
  await answers[0]?.(0, 404);
  expect(answers).toHaveLength(1);
});

test("what a busy cluster had no time for is told again, and what it refuses is not", async () => {
  const { report, answers } = reporting();
  await report(pod(1, ready("False")), ready("True"));
  await answers[0]?.(0, 429);
  await expect.poll(() => answers).toHaveLength(2);
  await answers[1]?.(0, 422);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(answers).toHaveLength(2);
});

test("a pod that was forgotten meanwhile is not told of any more", async () => {
  const { reporter, report, answers, settle } = reporting();
  await report(pod(1, ready("False")), ready("True"));
  await report(pod(3, ready("False")), ready("True"));
  reporter.forget("u");
  await answers[0]?.(2);
  await settle();
  expect(answers).toHaveLength(1);
});

test("a cluster that was restored hears again how the containers are", async () => {
  const { report, answers } = reporting();
  const life = (containerID: string, restartCount: number): CoreV1PodStatus => ({
    ...ready("True"),
    containerStatuses: [{ name: "c", image: "i", imageID: "", ready: true, containerID, restartCount }],
  });
  await report(pod(1, life("containerd://a", 0)), life("containerd://b", 1));
  await answers[0]?.(2);
  await report(pod(2, life("containerd://b", 1)), life("containerd://b", 1));
  expect(answers).toHaveLength(1);
  await report(pod(1_000_002, life("containerd://a", 0)), life("containerd://b", 1));
  expect(answers).toHaveLength(2);
});
