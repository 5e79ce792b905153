import type { CoreV1Container, CoreV1Pod } from "../worker/kinds/generated/types.ts";
import { heldUntil } from "./pods/backoff.ts";
import { type ContainerMemory, isRunning, type PodMemory } from "./pods/memory.ts";
import type { Observed } from "./pods/observe.ts";
import { initState, isInitialized, isOver, isSidecar, phaseOf, restarts } from "./pods/phase.ts";
import { resizeOf } from "./pods/resources.ts";

/** One thing to do to a pod. Plain data, so that a plan can be printed, compared and tested without doing it. */
export type Step =
  | { do: "prepareVolumes" }
  | { do: "createSandbox"; number: number }
  | { do: "pullImage"; container: string }
  | { do: "startContainer"; container: string; kind: "init" | "app" | "ephemeral"; number: number }
  /** Only tells users that it waits. */
  | { do: "backOff"; container: string; until: number }
  /** Other limits for a container that runs on. */
  | { do: "resizeContainer"; container: string }
  | { do: "stopContainer"; container: string; graceSeconds: number; message: string }
  | { do: "removeContainers"; ids: string[] }
  /** Ends all containers of the pod at once, then its sandbox. */
  | { do: "killPod"; graceSeconds: number }
  | { do: "endPod"; reason: string; message: string }
  /** Gives back the network of a pod that is over. */
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
  const draft = isOver(phaseOf(wanted.pod, memory))
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
  if (anyRuns(observed, memory)) return { steps: [{ do: "killPod", graceSeconds: graceOf(pod) }] };
  const kept = keptIds(memory);
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
  tending.init();
  if (isInitialized(pod, memory)) tending.apps();
  return { steps: tending.steps.length ? [...prepare, ...tending.steps] : prepare, wakeAt: tending.wakeAt };
}

/** Goes through a living pod's containers and collects what each needs. */
class Tending {
  readonly steps: Step[] = [];
  wakeAt: number | undefined;
  readonly #pod: CoreV1Pod;
  readonly #memory: PodMemory;
  readonly #now: number;

  constructor(pod: CoreV1Pod, memory: PodMemory, now: number) {
    this.#pod = pod;
    this.#memory = memory;
    this.#now = now;
  }

  /** In order, each waiting for the one before; sidecars are kept running ever after. */
  init(): void {
    const started = isInitialized(this.#pod, this.#memory);
    for (const container of this.#pod.spec.initContainers ?? []) {
      if (started && !isSidecar(container)) continue;
      const state = initState(container, this.#memory);
      if (state !== "done") this.#tend(container, "init");
      else if (isSidecar(container)) this.#tend(container, "init");
      if (state !== "done" && !started) return;
    }
  }

  apps(): void {
    for (const container of this.#pod.spec.containers) this.#tend(container, "app");
    for (const container of this.#pod.spec.ephemeralContainers ?? [])
      if (!this.#memory.containers[container.name]?.current) this.#tend(container, "ephemeral");
  }

  #tend(container: CoreV1Container, kind: "init" | "app" | "ephemeral"): void {
    const known = this.#memory.containers[container.name];
    if (isRunning(known)) {
      const resize = known.current.resources && resizeOf(container, known.current.resources);
      const message =
        known.condemned?.message ??
        changed(container, known.current.image) ??
        (resize === "restart" ? `Container ${container.name} resize requires restart` : undefined);
      if (message) {
        const graceSeconds = known.condemned?.graceSeconds ?? graceOf(this.#pod);
        this.steps.push({ do: "stopContainer", container: container.name, graceSeconds, message });
      } else if (resize) this.steps.push({ do: "resizeContainer", container: container.name });
      return;
    }
    if (known?.retryAt && known.retryAt > this.#now) return this.#waitToRetry(container.name, known, known.retryAt);
    const exit = known?.current?.exit;
    // What ended with its sandbox did not fail: it starts anew at once, and init containers that were done, too.
    const moved = known?.current?.sandbox !== this.#memory.sandbox?.id;
    const again = kind === "init" && moved;
    if (exit && !again && !restarts(this.#pod, container, exit.code, kind === "init")) return;
    const until = exit && !moved ? heldUntil(known?.backoff, exit.finishedAt) : 0;
    if (until > this.#now) {
      this.steps.push(...(known?.waiting?.reason === "CrashLoopBackOff" ? [] : [backOff(container.name, until)]));
      return this.#wake(until);
    }
    const number = known?.current ? known.current.number + 1 : 0;
    this.steps.push({ do: "pullImage", container: container.name });
    this.steps.push({ do: "startContainer", container: container.name, kind, number });
  }

  /** The cause of a failed pull is shown for a while before the state says that it backs off. */
  #waitToRetry(container: string, known: ContainerMemory, retryAt: number): void {
    if (known.waiting?.reason !== "ErrImagePull" || !known.pullBackoff) return this.#wake(retryAt);
    const shown = known.pullBackoff.since + SHOW_CAUSE_MS;
    if (shown > this.#now) return this.#wake(Math.min(shown, retryAt));
    this.steps.push(backOff(container, retryAt));
  }

  #wake(at: number): void {
    this.wakeAt = Math.min(this.wakeAt ?? Infinity, at);
  }
}

const backOff = (container: string, until: number): Step => ({ do: "backOff", container, until });

const changed = (container: CoreV1Container, image: string) =>
  container.image === image ? undefined : `Container ${container.name} definition changed, will be restarted`;
