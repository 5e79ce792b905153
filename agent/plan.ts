import type { CoreV1Container, CoreV1Pod } from "../worker/kinds/generated/types.ts";
import { PULL_FAILURES } from "./images/failures.ts";
import { type Attempt, type ContainerMemory, isRunning, type PodMemory } from "./pods/memory.ts";
import type { Observed } from "./pods/observe.ts";
import { isDone, isHere, isOver, isSidecar, phaseOf, restarts } from "./pods/phase.ts";
import { resizeOf } from "./pods/resources.ts";
import { restartAt } from "./pods/restart.ts";

/** One thing to do to a pod. Plain data, so that a plan can be printed, compared and tested without doing it. */
export type Step =
  | { do: "prepareVolumes" }
  | { do: "createSandbox"; number: number }
  | { do: "pullImage"; container: string }
  | { do: "startContainer"; container: string; kind: "init" | "app" | "ephemeral"; number: number }
  /** Only tells users that it waits. */
  | { do: "backOff"; container: string; until: number }
  /** Other limits for containers that run on. */
  | { do: "resizePod"; containers: string[] }
  /** `again`: whatever its restart policy says, it is only stopped to be started anew. */
  | { do: "stopContainer"; container: string; graceSeconds: number; message: string; again: boolean }
  | { do: "removeContainers"; ids: string[] }
  /** Ends all containers of the pod at once, then its sandbox. */
  | { do: "killPod"; graceSeconds: number }
  | { do: "endPod"; reason: string; message: string }
  /** Gives back the volumes and the network of a pod that is over. */
  | { do: "closeSandbox" }
  /** Sandboxes, volumes, cgroup and folders. */
  | { do: "cleanUp" }
  | { do: "confirmDeletion" };

/** A pod as it is wanted; `pod` is undefined for one that only its remains tell of. */
export type WantedPod = {
  uid: string;
  pod: CoreV1Pod | undefined;
  /** Taken away without a word, or marked for deletion. */
  deleted: boolean;
  volumesReady: boolean;
  /** Volumes or the sandbox could not be made: not tried again before (ms). */
  retryAt?: number;
};

export type Plan = { steps: Step[] /** When to plan again though nothing happened (ms). */; wakeAt?: number };

const DEFAULT_GRACE_SECONDS = 30;
const SHOW_CAUSE_MS = 3_000;

/** The plan of every pod, those included of which there are only containers. */
export function plan(
  wanted: readonly WantedPod[],
  running: readonly Observed[],
  now: number,
  memory: ReadonlyMap<string, PodMemory>,
): Map<string, Plan> {
  const byPod = Map.groupBy(running, (o) => o.podUid);
  const plans = new Map<string, Plan>();
  for (const pod of wanted) plans.set(pod.uid, planPod(pod, byPod.get(pod.uid) ?? [], now, memory.get(pod.uid)));
  for (const [uid, observed] of byPod)
    if (!plans.has(uid))
      plans.set(
        uid,
        planPod({ uid, pod: undefined, deleted: true, volumesReady: false }, observed, now, memory.get(uid)),
      );
  return plans;
}

/** What brings one pod nearer to what is wanted. Each plan is short: after its steps the pod is looked at again. */
export function planPod(
  wanted: WantedPod,
  observed: readonly Observed[],
  now: number,
  memory: PodMemory | undefined,
): Plan {
  if (wanted.deleted || !wanted.pod || !memory) return planRemoval(wanted, observed, memory);
  const deadline = deadlineOf(wanted.pod, memory);
  if (deadline <= now && !memory.ended && !isOver(phaseOf(wanted.pod, memory)))
    return {
      steps: [
        {
          do: "endPod",
          reason: "DeadlineExceeded",
          message: "Pod was active on the node longer than the specified deadline",
        },
      ],
    };
  const draft = isDone(wanted.pod, memory)
    ? planEnd(wanted.pod, observed, memory)
    : planLife(wanted, wanted.pod, observed, now, memory);
  return deadline < Infinity && !memory.ended
    ? { ...draft, wakeAt: Math.min(draft.wakeAt ?? Infinity, deadline) }
    : draft;
}

function deadlineOf(pod: CoreV1Pod, memory: PodMemory): number {
  const seconds = pod.spec.activeDeadlineSeconds;
  return seconds === undefined ? Infinity : memory.startedAt + seconds * 1000;
}

export function graceOf(pod: CoreV1Pod | undefined): number {
  return pod?.metadata.deletionGracePeriodSeconds ?? pod?.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}

function planRemoval(wanted: WantedPod, observed: readonly Observed[], memory: PodMemory | undefined): Plan {
  const pod = wanted.pod ?? memory?.pod;
  if (anyRuns(observed, memory)) return { steps: [{ do: "killPod", graceSeconds: graceOf(pod) }] };
  const steps: Step[] = [];
  if (observed.length) steps.push({ do: "removeContainers", ids: observed.map((o) => o.id) });
  if (!memory?.cleaned) steps.push({ do: "cleanUp" });
  if (wanted.pod) steps.push({ do: "confirmDeletion" });
  return { steps };
}

/** A pod that is over keeps its last containers, for their logs, and nothing else. */
function planEnd(pod: CoreV1Pod, observed: readonly Observed[], memory: PodMemory): Plan {
  const graceSeconds = memory.ended?.graceSeconds ?? graceOf(pod);
  if (anyRuns(observed, memory)) return { steps: [{ do: "killPod", graceSeconds }] };
  const kept = memory.discarded ? new Set<string>() : keptIds(memory);
  const ids = observed.filter((o) => o.kind === "pause" || !kept.has(o.id)).map((o) => o.id);
  const steps: Step[] = ids.length ? [{ do: "removeContainers", ids }] : [];
  return { steps: memory.sandbox?.running ? [...steps, { do: "closeSandbox" }] : steps };
}

/** Something runs that is to be ended with its grace; what nobody remembers goes by its removal. */
function anyRuns(observed: readonly Observed[], memory: PodMemory | undefined): boolean {
  const ids = memory && keptIds(memory).add(memory.sandbox?.pause?.id ?? "");
  return observed.some((o) => o.state === "running" && (!ids || ids.has(o.id)));
}

/** The newest attempt of each container and the one before it. */
function keptIds(memory: PodMemory): Set<string> {
  const kept = new Set<string>();
  for (const { current, previous } of Object.values(memory.containers))
    for (const attempt of [current, previous]) if (attempt) kept.add(attempt.id);
  return kept;
}

function planLife(
  wanted: WantedPod,
  pod: CoreV1Pod,
  observed: readonly Observed[],
  now: number,
  memory: PodMemory,
): Plan {
  const kept = keptIds(memory);
  const pause = memory.sandbox?.pause?.id;
  const stray = observed.filter((o) => (o.kind === "pause" ? o.id !== pause : !kept.has(o.id)));
  if (stray.length) return { steps: [{ do: "removeContainers", ids: stray.map((o) => o.id) }] };
  const prepare: Step[] = wanted.volumesReady ? [] : [{ do: "prepareVolumes" }];
  const made = wanted.volumesReady && memory.sandbox?.running;
  if (!made && wanted.retryAt && wanted.retryAt > now) return { steps: [], wakeAt: wanted.retryAt };
  if (!memory.sandbox?.running) {
    // Containers cannot change their namespaces: with the sandbox all of them begin anew.
    if (observed.some((o) => o.kind !== "pause" && o.state === "running"))
      return { steps: [{ do: "killPod", graceSeconds: graceOf(pod) }] };
    const dead = observed.filter((o) => o.kind === "pause").map((o) => o.id);
    const steps: Step[] = dead.length ? [{ do: "removeContainers", ids: dead }] : [];
    return { steps: [...steps, ...prepare, { do: "createSandbox", number: memory.sandboxes }] };
  }
  const tending = new Tending(pod, memory, now);
  tending.ephemeral();
  if (tending.init()) tending.apps();
  tending.resize();
  return { steps: tending.steps.length ? [...prepare, ...tending.steps] : prepare, wakeAt: tending.wakeAt };
}

type Kind = "init" | "app" | "ephemeral";

/** Goes through a living pod's containers and collects what each needs. */
class Tending {
  readonly steps: Step[] = [];
  wakeAt: number | undefined;
  readonly #resized: string[] = [];
  readonly #pod: CoreV1Pod;
  readonly #memory: PodMemory;
  readonly #now: number;

  constructor(pod: CoreV1Pod, memory: PodMemory, now: number) {
    this.#pod = pod;
    this.#memory = memory;
    this.#now = now;
  }

  /** They are never started again, and may start while init containers run or fail: that is what they look at. */
  ephemeral(): void {
    for (const container of this.#pod.spec.ephemeralContainers ?? [])
      if (!this.#memory.containers[container.name]?.current) this.#start(container, "ephemeral");
  }

  /**
   * Init containers in order, each after the one before is done; those that have been passed need no second look, but
   * sidecars are kept running ever after. Returns whether app containers may start.
   */
  init(): boolean {
    const containers = this.#pod.spec.initContainers ?? [];
    const after = this.#firstAfter(containers);
    for (const [at, container] of containers.slice(0, after + 1).entries()) {
      if (at < after && !isSidecar(container)) continue;
      const known = this.#memory.containers[container.name];
      if (isRunning(known) && isHere(known, this.#memory)) {
        if (isSidecar(container)) this.#look(container, known, "init");
      } else if (!this.#start(container, "init") && !isSidecar(container)) break;
    }
    return after === containers.length;
  }

  apps(): void {
    for (const container of this.#pod.spec.containers) {
      const known = this.#memory.containers[container.name];
      if (isRunning(known)) this.#look(container, known, "app");
      else this.#start(container, "app");
    }
  }

  /** After the others, so that those which are to make room have ended. */
  resize(): void {
    if (!this.#resized.length) return;
    const { retryAt = 0 } = this.#memory.resize ?? {};
    if (retryAt > this.#now) this.#wake(retryAt);
    else this.steps.push({ do: "resizePod", containers: this.#resized });
  }

  /** The first init container that those after it wait for: the last that began tells how far init has come. */
  #firstAfter(containers: readonly CoreV1Container[]): number {
    const here = ({ name }: CoreV1Container) => isHere(this.#memory.containers[name], this.#memory);
    const runs = ({ name }: CoreV1Container) => isRunning(this.#memory.containers[name]);
    if (this.#pod.spec.containers.some((container) => here(container) && runs(container))) return containers.length;
    const last = containers.findLastIndex(here);
    const container = containers[last];
    if (!container) return 0;
    const { current, started } = this.#memory.containers[container.name] ?? {};
    const isDone = isSidecar(container) ? !current?.exit && started : current?.exit?.code === 0;
    return isDone ? last + 1 : last;
  }

  #look(container: CoreV1Container, known: ContainerMemory & { current: Attempt }, kind: Kind): void {
    const resize = known.current.resources && resizeOf(container, known.current.resources);
    const message =
      known.condemned?.message ??
      changed(container, known.current.image, kind) ??
      (resize === "restart" ? `Container ${container.name} resize requires restart` : undefined);
    if (message) {
      const graceSeconds = known.condemned?.graceSeconds ?? graceOf(this.#pod);
      const again = known.condemned ? known.condemned.again === true : true;
      this.steps.push({ do: "stopContainer", container: container.name, graceSeconds, message, again });
    } else if (resize) this.#resized.push(container.name);
  }

  /** False for a container that has to wait. */
  #start(container: CoreV1Container, kind: Kind): boolean {
    const known = this.#memory.containers[container.name];
    if (known?.retryAt && known.retryAt > this.#now) return this.#waitToRetry(container.name, known, known.retryAt);
    const { sandbox } = this.#memory;
    const exit = known?.current?.replaced ? undefined : known?.current?.exit;
    // In a new sandbox init containers that were done start anew, too.
    const again = kind === "init" && !isHere(known, this.#memory);
    if (exit && !again && !restarts(this.#pod, container, exit.code, kind === "init")) return true;
    const until = restartAt(known, container, sandbox?.id);
    if (until > this.#now) {
      this.steps.push(...(known?.waiting?.reason === "CrashLoopBackOff" ? [] : [backOff(container.name, until)]));
      return this.#wake(until);
    }
    const number = known?.current ? known.current.number + 1 : 0;
    this.steps.push({ do: "pullImage", container: container.name });
    this.steps.push({ do: "startContainer", container: container.name, kind, number });
    return true;
  }

  /** The cause of a failed pull is shown for a while before the state says that it backs off. */
  #waitToRetry(container: string, known: ContainerMemory, retryAt: number): false {
    if (!PULL_FAILURES.has(known.waiting?.reason ?? "") || !known.pullBackoff) return this.#wake(retryAt);
    const shown = known.pullBackoff.since + SHOW_CAUSE_MS;
    if (shown > this.#now) return this.#wake(Math.min(shown, retryAt));
    this.steps.push(backOff(container, retryAt));
    return false;
  }

  #wake(at: number): false {
    this.wakeAt = Math.min(this.wakeAt ?? Infinity, at);
    return false;
  }
}

const backOff = (container: string, until: number): Step => ({ do: "backOff", container, until });

/** What runs is replaced whatever its restart policy. */
function changed(container: CoreV1Container, image: string, kind: Kind): string | undefined {
  if (container.image === image) return undefined;
  const message = `Container ${container.name} definition changed`;
  return kind === "init" ? `Init c${message.slice(1)}` : `${message}, will be restarted`;
}
