import { expect, test } from "vitest";
import type { Pod, Stored } from "./api.ts";
import { reasons, standing } from "./waiting.ts";

const stored = (kind: string, spec: object, status: object): Stored => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "web", resourceVersion: "1", generation: 2 },
  spec,
  status: { ...status },
});
const pod = (phase: string, more: object = {}): Pod => ({
  metadata: { name: "web-0", creationTimestamp: "" },
  spec: { containers: [{ name: "web" }] },
  status: { phase, ...more },
});

test.each([
  [
    "one that is seen and ready",
    "Deployment",
    { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1 },
    true,
  ],
  [
    "one whose change is not seen yet",
    "Deployment",
    { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1 },
    false,
  ],
  [
    "one with an old pod left",
    "Deployment",
    { observedGeneration: 2, replicas: 2, updatedReplicas: 1, readyReplicas: 2 },
    false,
  ],
  ["one that is not ready", "StatefulSet", { observedGeneration: 2, replicas: 1, updatedReplicas: 1 }, false],
  ["a DaemonSet on no node", "DaemonSet", { observedGeneration: 2, desiredNumberScheduled: 0 }, true],
  ["a Job that runs", "Job", { ready: 1 }, true],
  ["a Job that begins", "Job", { active: 1, ready: 0 }, false],
  ["a Job that is over", "Job", { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] }, true],
])("%s", (_, kind, status, isThere) => {
  expect(standing(stored(kind, { replicas: 1, completions: 1 }, status), []).isThere).toBe(isThere);
});

test("what others wait for", () => {
  const job = stored("Job", { completions: 1 }, { ready: 1 });
  expect(standing(job, [], "service_completed_successfully").isThere).toBe(false);
  const failed = stored("Job", {}, { conditions: [{ type: "Failed", status: "True", message: "it had one try" }] });
  expect(standing(failed, [], "service_completed_successfully")).toMatchObject({
    isThere: false,
    isLost: "it had one try",
  });
  const deployment = stored("Deployment", { replicas: 1 }, { observedGeneration: 2 });
  expect(standing(deployment, [pod("Running")], "service_started").isThere).toBe(true);
  expect(standing(deployment, [pod("Pending")], "service_started").isThere).toBe(false);
  expect(standing(deployment, [pod("Running")], "service_healthy").isThere).toBe(false);
});

test("reasons are those of containers, else of conditions", () => {
  const waiting = {
    containerStatuses: [
      { ready: false, restartCount: 0, state: { waiting: { reason: "ErrImagePull", message: "no such image" } } },
    ],
  };
  const unmet = { conditions: [{ type: "PodScheduled", status: "False", message: "0/1 nodes are available" }] };
  expect(reasons([pod("Pending", waiting), pod("Pending", unmet), pod("Running")])).toEqual([
    "web-0: ErrImagePull: no such image",
    "web-0: 0/1 nodes are available",
  ]);
});
