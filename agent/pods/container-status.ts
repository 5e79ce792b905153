import type {
  CoreV1Container,
  CoreV1ContainerState,
  CoreV1ContainerStatus,
  CoreV1Pod,
  CoreV1VolumeMountStatus,
} from "../../worker/kinds/generated/types.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import { recursiveMode } from "../volumes/recursive-read-only.ts";
import { type Attempt, type ContainerMemory, isRunning, type PodMemory } from "./memory.ts";
import { isOver, isSidecar, type Phase } from "./phase.ts";

/** Bytes of all termination messages of a pod, shared out evenly. */
const MOST_MESSAGES = 12 * 1024;

export type ContainerStatuses = {
  init: CoreV1ContainerStatus[];
  app: CoreV1ContainerStatus[];
  ephemeral: CoreV1ContainerStatus[];
};

/** As the kubelet lists them: init containers in their order, the others by name. */
export function containerStatuses(
  pod: CoreV1Pod,
  memory: PodMemory,
  phase: Phase,
  { recursiveReadOnly = false }: { recursiveReadOnly?: boolean } = {},
): ContainerStatuses {
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  const share = Math.floor(MOST_MESSAGES / (initContainers.length + containers.length + ephemeralContainers.length));
  const base = (container: CoreV1Container) => ({
    ...containerStatus(pod, container, memory, phase, share),
    ...mountsOf(container, recursiveReadOnly),
  });
  const byName = (a: CoreV1ContainerStatus, b: CoreV1ContainerStatus) => (a.name < b.name ? -1 : 1);
  return {
    init: initContainers.map((c) => ({ ...base(c), ...initReadiness(c, memory.containers[c.name]) })),
    app: containers.map((c) => ({ ...base(c), ...readiness(c, memory.containers[c.name]) })).toSorted(byName),
    ephemeral: ephemeralContainers.map((c) => ({ ...base(c), ready: false })).toSorted(byName),
  };
}

type Readiness = Pick<CoreV1ContainerStatus, "ready" | "started">;

function readiness(container: CoreV1Container, known: ContainerMemory | undefined): Readiness {
  const started = isRunning(known) && known.started === true;
  return { ready: started && (container.readinessProbe ? known?.ready === true : true), started };
}

function initReadiness(container: CoreV1Container, known: ContainerMemory | undefined): Readiness {
  if (isSidecar(container)) return readiness(container, known);
  return { ready: known?.current?.exit?.code === 0, started: isRunning(known) };
}

function containerStatus(
  pod: CoreV1Pod,
  container: CoreV1Container,
  memory: PodMemory,
  phase: Phase,
  share: number,
): Omit<CoreV1ContainerStatus, "ready"> {
  const known = memory.containers[container.name];
  const { current, previous } = known ?? {};
  const waits = known?.waiting !== undefined && current?.exit !== undefined && !isOver(phase);
  const last = waits ? current : previous;
  return {
    name: container.name,
    state: stateOf(pod, known, waits, share),
    lastState: last?.exit ? terminated(last, share) : {},
    restartCount: current?.number ?? 0,
    image: current?.imageName || container.image || "",
    imageID: current?.imageID ?? "",
    ...(current?.id ? { containerID: `containerd://${current.id}` } : {}),
    ...resourcesOf(container, current),
    ...(current?.user ? { user: { linux: current.user } } : {}),
  };
}

/** https://kubernetes.io/docs/concepts/storage/volumes/#recursive-read-only-mounts */
function mountsOf({ volumeMounts = [] }: CoreV1Container, supported: boolean): Partial<CoreV1ContainerStatus> {
  if (!volumeMounts.length) return {};
  return {
    volumeMounts: volumeMounts.map((mount): CoreV1VolumeMountStatus => {
      const { name, mountPath, readOnly } = mount;
      if (!readOnly) return { name, mountPath };
      return { name, mountPath, readOnly, recursiveReadOnly: recursiveMode(mount, supported) };
    }),
  };
}

/** What a container has, and what it may have of the node's. */
function resourcesOf(container: CoreV1Container, current: Attempt | undefined): Partial<CoreV1ContainerStatus> {
  if (!current) return {};
  const resources = (current.exit ? undefined : current.resources) ?? container.resources ?? {};
  return { resources, ...(container.resources?.requests && { allocatedResources: container.resources.requests }) };
}

function stateOf(
  pod: CoreV1Pod,
  known: ContainerMemory | undefined,
  waits: boolean,
  share: number,
): CoreV1ContainerState {
  const current = known?.current;
  if (current && !waits) {
    if (current.exit) return terminated(current, share);
    return { running: { startedAt: timestamp(current.startedAt) } };
  }
  const reason = known?.waiting?.reason ?? (pod.spec.initContainers?.length ? "PodInitializing" : "ContainerCreating");
  return { waiting: { reason, ...(known?.waiting?.message ? { message: known.waiting.message } : {}) } };
}

function terminated(attempt: Attempt, share: number): CoreV1ContainerState {
  const { exit } = attempt;
  if (!exit) return {};
  const message = exit.message && Buffer.from(exit.message).subarray(0, share).toString();
  return {
    terminated: {
      exitCode: exit.code,
      ...(exit.signal ? { signal: exit.signal } : {}),
      reason: exit.reason,
      ...(message ? { message } : {}),
      startedAt: timestamp(attempt.startedAt),
      finishedAt: timestamp(exit.finishedAt),
      ...(attempt.id ? { containerID: `containerd://${attempt.id}` } : {}),
    },
  };
}

/** A container of which nobody can tell how it ended counts as failed. */
const LOST: CoreV1ContainerState = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
  },
};

/**
 * The statuses of a pod that is over for good: containers that never ran count as failed, unless init did not come so
 * far. Then the init containers that began tell why, or the first, if none did.
 */
export function terminate(pod: CoreV1Pod, statuses: ContainerStatuses): ContainerStatuses {
  const { init, app, ephemeral } = statuses;
  const began = init.findLastIndex(({ state, lastState }) => !state?.waiting || lastState?.terminated);
  const end = (status: CoreV1ContainerStatus): CoreV1ContainerStatus =>
    status.state?.terminated ? status : { ...status, state: LOST, ready: false, started: false };
  return {
    init: init.map((status, at) => (at <= Math.max(began, 0) ? end(status) : status)),
    app: isInitialized(pod, statuses) ? app.map(end) : app,
    ephemeral,
  };
}

function isInitialized(pod: CoreV1Pod, { init, app }: ContainerStatuses): boolean {
  const last = pod.spec.initContainers?.at(-1);
  const status = init.at(-1);
  if (!last || !status) return true;
  if (app.some(({ state, lastState }) => lastState?.terminated || !state?.waiting)) return true;
  if (isSidecar(last)) return status.state?.running !== undefined && status.started === true;
  return [status.state, status.lastState].some((state) => state?.terminated?.exitCode === 0);
}
