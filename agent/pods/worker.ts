import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { planPod, type Step } from "../plan.ts";
import { fieldsOf, type NodeContext, type PodState } from "./context.ts";
import type { Executor } from "./executor.ts";
import { containerNamed } from "./fields.ts";
import type { Attempt, PodMemory } from "./memory.ts";
import { absorb, isStanding, Label, type Observed, observe } from "./observe.ts";
import { Prober } from "./probes.ts";
import { isAlive } from "./processes.ts";
import { referencesKey } from "./references.ts";
import type { StatusReporter } from "./reporter.ts";
import { computeStatus } from "./status.ts";

/** After a step that failed for a reason of the machine. */
const RETRY_MS = 2_000;
/** While a deletion cannot be confirmed. */
const CONFIRM_AGAIN_MS = 5_000;
const DOUBT_MS = 1_000;

/** `at` in ms since the epoch. */
export type RecentExit = { code: number; at: number };

/** Steps that tell themselves what they changed in the runtime. */
const seenThrough: ReadonlySet<Step["do"]> = new Set([
  "prepareVolumes",
  "createSandbox",
  "pullImage",
  "startContainer",
  "backOff",
  "resizeContainer",
  "stopContainer",
  "killPod",
  "removeContainers",
  "endPod",
  "closeSandbox",
  "cleanUp",
  "confirmDeletion",
]);

export type WorkerDeps = {
  node: NodeContext;
  executor: Executor;
  reporter: StatusReporter;
  /** IDs of containers that the kernel took memory from by force. */
  oomed: ReadonlySet<string>;
  /** How containers ended of late, by the runtime's events. */
  exits: ReadonlyMap<string, RecentExit>;
  /** Nothing of the pod is left and nobody asks for it. */
  onGone(uid: string): void;
};

/** Works on one pod, one thing after the other: look, plan, do, report, until there is nothing to do. */
export class PodWorker {
  readonly state: PodState;
  readonly #deps: WorkerDeps;
  readonly #prober: Prober;
  #ending = new AbortController();
  readonly #exits = new Map<string, PromiseWithResolvers<void>>();
  #references = "";
  #saved = "";
  #dirty = false;
  /** The runtime has to be asked for all containers of the pod, not only for those known. */
  #full = true;
  /** Nothing is known to have happened but what the pod's own steps did. */
  #current = false;
  #working: Promise<void> | undefined;
  #stopped = false;
  #wakeAt = Infinity;
  #cancelWake = () => {};
  #observed: Observed[] = [];
  readonly #doubted = new Set<string>();

  /** `isNew` promises that no container of the pod can be there. */
  constructor(deps: WorkerDeps, pod: CoreV1Pod, memory: PodMemory, given: { known: boolean; isNew: boolean }) {
    const { known, isNew } = given;
    this.#deps = deps;
    this.#full = !isNew;
    const uid = memory.uid;
    this.state = {
      uid,
      pod,
      memory,
      known,
      deleted: !known,
      volumesReady: false,
      fresh: { made: [], removed: [] },
      exited: (id) => (deps.exits.has(id) ? Promise.resolve() : this.#exitOf(id).promise),
      ending: this.#ending.signal,
    };
    this.#prober = new Prober(deps.node, this.state, () => this.wake());
    this.update(known ? pod : undefined);
  }

  /** The pod as it is wanted now; undefined when it is not any more. */
  update(pod: CoreV1Pod | undefined): void {
    const { state } = this;
    const references = referencesKey(pod ?? state.pod, this.#deps.node.desired());
    // Most of what the node hears is about others.
    if (pod && state.known && pod === state.pod && references === this.#references) return;
    state.known = pod !== undefined;
    if (pod) state.pod = state.memory.pod = pod;
    state.deleted = !pod || pod.metadata.deletionTimestamp !== undefined;
    if (state.deleted && !state.ending.aborted) {
      this.#ending.abort(new Error("the pod is being deleted"));
    }
    if (!state.deleted && state.ending.aborted) this.#revive();
    if (this.#references !== references) {
      // What was missing may be there now.
      if (this.#references && state.volumesReady) this.#refreshVolumes();
      this.#references = references;
      state.retryAt = undefined;
      for (const memory of Object.values(state.memory.containers))
        if (memory.waiting?.reason === "CreateContainerConfigError") memory.retryAt = undefined;
    }
    this.#planAgain(); // a change of what is wanted is no reason to ask the runtime
  }

  /** A pod that the node was to end is wanted after all: what it had on disk was older than the cluster. */
  #revive(): void {
    this.#ending = new AbortController();
    this.state.ending = this.#ending.signal;
    this.state.volumesReady = false;
    this.state.memory.cleaned = undefined;
  }

  /** Something happened. `full` when containers may be there that are not known. */
  wake(full = false): void {
    this.#full ||= full;
    this.#current = false;
    this.#planAgain();
  }

  #planAgain(): void {
    this.#dirty = true;
    if (this.#working || this.#stopped) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#dirty && !this.#stopped) this.#planAgain();
    });
  }

  /** The runtime said that a container ended; `exits` has how. */
  exited(containerId: string): void {
    this.#exits.get(containerId)?.resolve();
    this.#exits.delete(containerId);
    // What it printed last may be on its way to the log still, which the runtime's answer waits for in effect.
    if (this.#tellsByLog(containerId)) return this.wake();
    this.#observed = this.#observed.map((o) => this.#withExit(o));
    this.#planAgain();
  }

  #tellsByLog(containerId: string): boolean {
    const { memory, pod } = this.state;
    const [name = ""] = Object.entries(memory.containers).find(([, c]) => c.current?.id === containerId) ?? [];
    return containerNamed(pod, name)?.terminationMessagePolicy === "FallbackToLogsOnError";
  }

  /** As it is by now: its end may be known before the runtime's answer is here. */
  #withExit(o: Observed): Observed {
    const exit = o.state === "running" && this.#deps.exits.get(o.id);
    return exit ? { ...o, state: "exited", exitCode: exit.code, finishedAt: exit.at } : o;
  }

  /** Notices processes that ended without a word. */
  sweep(): void {
    const { sandbox } = this.state.memory;
    const pause = sandbox?.running ? sandbox.pause : undefined;
    const running = this.#attempts().filter((attempt) => !attempt.exit && attempt.startTicks);
    const { processes } = this.#deps.node.host;
    const pauseDied = pause?.startTicks && !isAlive(processes, pause);
    if (pauseDied || running.some((attempt) => !isAlive(processes, attempt))) this.wake();
  }

  owns(containerId: string): boolean {
    if (this.state.memory.sandbox?.pause?.id === containerId) return true;
    return this.#attempts().some((attempt) => attempt.id === containerId);
  }

  /** Whether what the runtime has of this pod is what is known here. */
  agreesWith(observed: readonly Observed[]): boolean {
    const known = new Set(this.#observed.map((o) => `${o.id} ${o.state}`));
    return observed.length === known.size && observed.every((o) => known.has(`${o.id} ${o.state}`));
  }

  /** Resolves when the step that is being done is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWake();
    this.#prober.stop();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      try {
        const steps = await this.#lookAndPlan();
        if (!steps.length) continue;
        const confirms = steps.some((step) => step.do === "confirmDeletion");
        this.#current &&= steps.every((step) => seenThrough.has(step.do));
        await this.#deps.executor.execute(steps, this.state);
        if (confirms) this.#wakeLater(this.#deps.node.effects.now() + CONFIRM_AGAIN_MS);
        else this.#dirty = true;
      } catch (error) {
        const { namespace, name } = this.state.memory;
        this.#deps.node.log(`pod ${namespace}/${name}: ${(error as Error).message}`);
        this.#full = true;
        this.#current = false;
        this.#wakeLater(this.#deps.node.effects.now() + RETRY_MS);
      }
    }
  }

  async #lookAndPlan(): Promise<Step[]> {
    const { node } = this.#deps;
    await this.#look();
    if (this.#stopped) return [];
    const { uid, pod, memory, deleted, known, volumesReady, retryAt } = this.state;
    const now = node.effects.now();
    const wanted = { uid, pod: known ? pod : undefined, deleted, volumesReady, retryAt };
    const { steps, wakeAt } = planPod(wanted, this.#observed, now, memory);
    this.#report();
    this.#prober.update();
    this.#save();
    if (!known && !steps.length && !this.#observed.length) this.#deps.onGone(uid);
    this.#wakeAt = Infinity;
    this.#wakeLater(Math.min(wakeAt ?? Infinity, volumesReady && !deleted ? this.#refreshAt() : Infinity));
    return steps;
  }

  async #look(): Promise<void> {
    const { runtime, effects, host, network } = this.#deps.node;
    const { memory, uid } = this.state;
    const full = this.#full || this.state.lookFully === true;
    this.#full = this.state.lookFully = false;
    if (this.#current && !full && !this.#anyEndedUntold()) this.#takeFresh();
    else {
      this.#current = true; // until something happens, which may be while the runtime answers
      const known = [memory.sandbox?.pause?.id, ...this.#attempts().map((attempt) => attempt.id)].filter((id) => id);
      const ids = full ? await runtime.list(`${Label.podUid}=${uid}`) : (known as string[]);
      const found = (await runtime.inspect(ids)).map((inspected) => observe(inspected, effects));
      // Without its sandbox all of the pod is gone, as after a reboot.
      const standing = isStanding(memory.sandbox, network);
      this.#observed = standing ? found.map((o) => this.#withExit(this.#believe(o))) : found;
      this.state.fresh = { made: [], removed: [] };
    }
    for (const attempt of this.#attempts())
      if (!attempt.exit && (this.#deps.oomed.has(attempt.id) || host.cgroups.oomKills(uid, attempt.id) > 0))
        attempt.oom = true;
    await this.#logged();
    absorb(memory, this.#observed, network, effects.now(), (attempt, failed) => this.#messageOf(attempt, failed));
    for (const { current } of Object.values(memory.containers)) {
      if (!current) continue;
      if (current.exit) {
        // Its keeper may have been killed, and it go on alone.
        if (current.exit.reason === "Unknown") host.cgroups.end(uid, current.id);
        this.#exits.get(current.id)?.resolve();
        this.#exits.delete(current.id);
      } else if (current.pid) current.startTicks ??= host.processes.startTicks(current.pid);
    }
    const pause = memory.sandbox?.pause;
    if (pause?.pid) pause.startTicks ??= host.processes.startTicks(pause.pid);
  }

  /** A process is gone, and no event has told how it ended. */
  #anyEndedUntold(): boolean {
    const { processes } = this.#deps.node.host;
    const running = new Set(this.#observed.filter((o) => o.state === "running").map((o) => o.id));
    const pause = this.state.memory.sandbox?.pause;
    const known = [...this.#attempts(), ...(pause ? [pause] : [])];
    return known.some((process) => running.has(process.id) && !isAlive(processes, process));
  }

  /**
   * For a moment after its end, and for good when its keeper was killed, a container looks as if it had never run. Its
   * end is believed when an event told of it, or when it still looks so a little later.
   */
  #believe(o: Observed): Observed {
    const running = this.#attempts().find((attempt) => attempt.id === o.id && !attempt.exit);
    if (o.state !== "created" || !running) return o;
    const exit = this.#deps.exits.get(o.id);
    if (exit) return { ...o, state: "exited", exitCode: exit.code, finishedAt: exit.at };
    if (this.#doubted.has(o.id)) return o;
    this.#doubted.add(o.id);
    this.#deps.node.effects.after(DOUBT_MS, () => this.wake());
    return { ...o, state: "running", pid: running.pid ?? 0 };
  }

  #takeFresh(): void {
    const { made, removed } = this.state.fresh;
    const replaced = new Set([...removed, ...made.map((o) => o.id)]);
    const fresh = made.map((o) => this.#withExit(o));
    this.#observed = [...this.#observed.filter((o) => !replaced.has(o.id)), ...fresh];
    this.state.fresh = { made: [], removed: [] };
  }

  #messageOf(attempt: Attempt, failed: boolean): string | undefined {
    return this.#deps.node.host.files.message(attempt, this.#messagePolicyOf(attempt), failed);
  }

  #messagePolicyOf(attempt: Attempt): string | undefined {
    const [name = ""] = Object.entries(this.state.memory.containers).find(([, c]) => c.current === attempt) ?? [];
    return containerNamed(this.state.pod, name)?.terminationMessagePolicy;
  }

  /** A log that is to stand in for a termination message has to be complete. */
  async #logged(): Promise<void> {
    const ended = new Set(
      this.#observed.flatMap(({ id, state, exitCode }) => (state === "exited" && exitCode ? id : [])),
    );
    for (const attempt of this.#attempts())
      if (!attempt.exit && ended.has(attempt.id) && this.#messagePolicyOf(attempt) === "FallbackToLogsOnError")
        await this.#deps.node.host.logged?.(attempt.id);
  }

  #report(): void {
    const { node, reporter } = this.#deps;
    const { pod, memory, deleted, known } = this.state;
    if (!known) return;
    reporter.report(pod, computeStatus(pod, memory, { hostIP: node.hostIP(), now: node.effects.now(), deleted }));
  }

  #attempts(): Attempt[] {
    return Object.values(this.state.memory.containers).flatMap(({ current, previous }) =>
      [current, previous].filter((attempt) => attempt !== undefined),
    );
  }

  #save(): void {
    const { memory, uid } = this.state;
    const { pod } = memory;
    // What was told of it comes back with every change of it, and is not needed to end it by its own rules.
    const kept = pod && { ...pod, metadata: { ...pod.metadata, resourceVersion: undefined }, status: undefined };
    const text = JSON.stringify({ ...memory, pod: kept });
    if (memory.cleaned || text === this.#saved) return;
    this.#deps.node.host.files.remember(uid, text);
    this.#saved = text;
  }

  #wakeLater(at: number): void {
    if (at >= this.#wakeAt || at === Infinity) return;
    this.#cancelWake();
    this.#wakeAt = at;
    this.#cancelWake = this.#deps.node.effects.after(
      Math.min(Math.max(at - this.#deps.node.effects.now(), 0), 2 ** 31 - 1),
      () => {
        this.#wakeAt = Infinity;
        if (this.state.volumesReady && this.#refreshAt() <= this.#deps.node.effects.now()) this.#refreshVolumes();
        this.wake();
      },
    );
  }

  #refreshAt(): number {
    return this.#deps.node.host.volumes.refreshAt(this.state.uid);
  }

  #refreshVolumes(): void {
    const { host, desired, log } = this.#deps.node;
    const context = { pod: this.state.pod, desired: desired(), fields: fieldsOf(this.#deps.node, this.state) };
    host.volumes.refresh(context).catch((error: Error) => log(error.message));
  }

  #exitOf(id: string): PromiseWithResolvers<void> {
    const held = this.#exits.get(id) ?? Promise.withResolvers<void>();
    this.#exits.set(id, held);
    return held;
  }
}
