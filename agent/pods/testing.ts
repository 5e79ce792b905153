import type { CoreV1Container, CoreV1Pod, CoreV1PodSpec } from "../../worker/kinds/generated/types.ts";
import type { Attempt, PodMemory } from "./memory.ts";
import { newMemory, sandboxName } from "./memory.ts";
import type { Observed } from "./observe.ts";

/** A moment for tests: 2026-01-01T00:00:00Z. */
export const NOW = Date.UTC(2026, 0, 1);

const SANDBOX = sandboxName("u1", 0);

export function somePod(spec: Partial<CoreV1PodSpec> = {}, metadata: Partial<CoreV1Pod["metadata"]> = {}): CoreV1Pod {
  const containers: CoreV1Container[] = [{ name: "app", image: "app:1" }];
  return { metadata: { name: "web", namespace: "default", uid: "u1", ...metadata }, spec: { containers, ...spec } };
}

export function someAttempt(given: Partial<Attempt> = {}): Attempt {
  return {
    number: 0,
    id: "c1",
    sandbox: SANDBOX,
    image: "app:1",
    imageID: "sha256:1",
    imageName: "docker.io/library/app:1",
    startedAt: NOW,
    ...given,
  };
}

/** A memory whose sandbox runs. */
export function someMemory(pod: CoreV1Pod, containers: PodMemory["containers"] = {}): PodMemory {
  return {
    ...newMemory(pod, NOW),
    sandbox: { id: SANDBOX, number: 0, ip: "10.0.0.2", network: "/run/netns/s", running: true },
    sandboxes: 1,
    containers,
  };
}

export function someObserved(given: Partial<Observed> = {}): Observed {
  return {
    id: "c1",
    podUid: "u1",
    podName: "web",
    podNamespace: "default",
    container: "app",
    kind: "app",
    attempt: 0,
    sandbox: SANDBOX,
    state: "running",
    pid: 100,
    startedAt: NOW,
    finishedAt: 0,
    exitCode: 0,
    logPath: "/log",
    image: "app:1",
    imageID: "sha256:1",
    imageName: "docker.io/library/app:1",
    ...given,
  };
}

export const pause = (given: Partial<Observed> = {}) =>
  someObserved({ id: "p1", kind: "pause", container: "", ...given });
