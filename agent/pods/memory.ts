import type { CoreV1Pod, CoreV1PodCondition, CoreV1ResourceRequirements } from "../../worker/kinds/generated/types.ts";
import type { Allocation, Resize } from "./allocation.ts";
import type { Backoff } from "./backoff.ts";
import type { ProcessId } from "./processes.ts";

export type Exit = {
  code: number;
  signal?: number;
  reason: string;
  message?: string;
  /** ms since the epoch. */
  finishedAt: number;
};

/** One run of a container. */
export type Attempt = {
  /** How often the container was started before: the restart count while this attempt is the newest. */
  number: number;
  id: string;
  /** The sandbox it ran in. */
  sandbox: string;
  /** As the pod's spec had it. */
  image: string;
  imageID: string;
  /** What it was given; absent when that was not known yet when it was made. */
  resources?: CoreV1ResourceRequirements;
  /** The normalized reference, as the runtime reports it. */
  imageName: string;
  /** ms since the epoch; 0 for one that never ran. */
  startedAt: number;
  pid?: number;
  /** The process' start in clock ticks since boot: with the pid, it names a process for good. */
  startTicks?: string;
  logPath?: string;
  /** Whom its first process runs as. */
  user?: { uid: number; gid: number; supplementalGroups?: number[] };
  /** The image's own, when it has one. */
  stopSignal?: string;
  /** The file on this machine that the container sees as its terminationMessagePath. */
  messagePath?: string;
  /** Killed by the kernel for want of memory, though it may not have ended yet. */
  oom?: true;
  /** It was stopped only to be started anew. */
  replaced?: true;
  exit?: Exit;
};

/** `image` is the one that is waited for, when it is not the container's own. */
export type Waiting = { reason: string; message?: string; image?: string };

export type ContainerMemory = {
  current?: Attempt;
  /** The one before, kept for `lastState` and `logs --previous`. */
  previous?: Attempt;
  backoff?: Backoff;
  pullBackoff?: Backoff;
  /** Why it is not started. */
  waiting?: Waiting;
  /** Not tried again before (ms since the epoch). */
  retryAt?: number;
  /** postStart and the startup probe have passed, for the current attempt. */
  started?: boolean;
  /** The readiness probe's last verdict, for the current attempt. */
  ready?: boolean;
  /** The running attempt must be stopped, for this reason. */
  condemned?: { message: string; graceSeconds?: number /** It is started anew then. */; again?: boolean };
};

/** What all containers of a pod share: its network and, where they see each other's processes, a pause container. */
export type Sandbox = {
  id: string;
  number: number;
  /** The first of `ips`, which are one a family; both absent with the machine's own network. */
  ip?: string;
  ips?: string[];
  /** The file that stands for its network namespace; undefined with the machine's own network. */
  network?: string;
  pause?: ProcessId & { id: string };
  /** Of its RuntimeClass; "" without one. */
  handler?: string;
  running: boolean;
};

/** Of a sandbox from a time when pods had but one, that one. */
export const addressesOf = (sandbox: Sandbox | undefined): readonly string[] =>
  sandbox?.ips ?? (sandbox?.ip ? [sandbox.ip] : []);

/** The n-th sandbox of a pod. */
export const sandboxName = (uid: string, number: number) => `${uid}-${number}`;

export function parseSandboxName(name: string): { uid: string; number: number } {
  const at = name.lastIndexOf("-");
  return { uid: name.slice(0, at), number: Number(name.slice(at + 1)) };
}

export type Ended = {
  reason: string;
  message: string;
  /** The node never took it: nothing of it ran. */
  rejected?: true;
  /** What its containers get to end; its own grace when absent. */
  graceSeconds?: number;
  /** The DisruptionTarget condition that goes with it. */
  disruption?: { reason: string; message: string };
};

/**
 * What the agent knows of a pod and cannot read from its containers: kept on disk beside the pod's volumes, so that
 * restarts of the agent lose no restart count, backoff or cause of death.
 */
export type PodMemory = {
  uid: string;
  namespace: string;
  name: string;
  /** ms since the epoch: when the agent first saw it. */
  startedAt: number;
  sandbox?: Sandbox;
  sandboxes: number;
  containers: Record<string, ContainerMemory>;
  /** The agent's own verdict over the whole pod. */
  ended?: Ended;
  conditions: CoreV1PodCondition[];
  /** What of the node its containers were given; what they asked for first, when absent. */
  allocated?: Allocation;
  /** A change of that, while it is not done. */
  resize?: Resize;
  /** It is over, and its containers went with their logs to give back their disk. */
  discarded?: true;
  /** The pod as last wanted, so that it can be ended by its own rules after it was taken away. */
  pod?: CoreV1Pod;
  /** Everything of it is off this machine. */
  cleaned?: true;
};

/** `now` in ms since the epoch; what the API server was told before goes before it. */
export function newMemory(pod: CoreV1Pod, now: number): PodMemory {
  const { uid = "", namespace = "default", name = "" } = pod.metadata;
  const told = Date.parse(pod.status?.startTime ?? "");
  return { uid, namespace, name, startedAt: told || now, sandboxes: 0, containers: {}, conditions: [], pod };
}

export function remember(memory: PodMemory, container: string): ContainerMemory {
  memory.containers[container] ??= {};
  return memory.containers[container];
}

export const attemptsOf = (memory: PodMemory): Attempt[] =>
  Object.values(memory.containers).flatMap(({ current, previous }) =>
    [current, previous].filter((attempt) => attempt !== undefined),
  );

export const isRunning = (memory: ContainerMemory | undefined): memory is ContainerMemory & { current: Attempt } =>
  memory?.current !== undefined && memory.current.exit === undefined;
