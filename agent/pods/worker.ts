import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { planPod, type Step } from "../plan.ts";
import { fieldsOf, type NodeContext, type PodState } from "./context.ts";
import type { Executor } from "./executor.ts";
import { attemptsOf, type Ended, type PodMemory } from "./memory.ts";
import type { Observed } from "./observe.ts";
import { isOver } from "./phase.ts";
import { Prober } from "./probes.ts";
import { isAlive } from "./processes.ts";
import { referencesKey } from "./references.ts";
import type { StatusReporter } from "./reporter.ts";
import { settleResize } from "./resizing.ts";
import { computeStatus } from "./status.ts";
import { PodView, type Told } from "./view.ts";

/** After a step that failed for a reason of the machine. */
const RETRY_MS = 2_000;
/** What could not be saved. */
const SAVE_AGAIN_MS = 10_000;
/** A container that is being replaced is told of as running so long. */
const REPLACE_MS = 2_000;
/** While a deletion cannot be confirmed. */
const CONFIRM_AGAIN_MS = 5_000;

export type WorkerDeps = {
  node: NodeContext;
  executor: Executor;
  reporter: StatusReporter;
  told: Told;
  /** The pod as it is to be run: with what the node grants it of what it asks for. */
  allocate(pod: CoreV1Pod, memory: PodMemory): CoreV1Pod;
  /** Nothing of the pod is left and nobody asks for it. */
  onGone(uid: string): void;
};

/** Works on one pod, one thing after the other: look, plan, do, report, until there is nothing to do. */
export class PodWorker {
  readonly state: PodState;
  readonly #deps: WorkerDeps;
  readonly #view: PodView;
  readonly #prober: Prober;
  #ending = new AbortController();
  #references = "";
  /** As last heard of. */
  #given: CoreV1Pod | undefined;
  #toldAs: CoreV1Pod | undefined;
  #refreshing = Promise.resolve();
  /** What was done last. */
  #done: readonly Step[] = [];
  #saved = "";
  #dirty = false;
  #working: Promise<void> | undefined;
  #stopped = false;
  #wakeAt = Infinity;
  #cancelWake = () => {};
  #cancelReport = () => {};

  /** `isNew` promises that no container of the pod can be there. */
  constructor(
    deps: WorkerDeps,
    pod: CoreV1Pod,
    memory: PodMemory,
    given: { known: boolean; isNew: boolean; toldAs: CoreV1Pod | undefined },
  ) {
    const { known, isNew, toldAs } = given;
    this.#deps = deps;
    const uid = memory.uid;
    this.state = {
      uid,
      pod,
      memory,
      known,
      deleted: !known,
      volumesReady: false,
      fresh: { made: [], removed: [] },
      exited: (id) => this.#view.exited(id),
      ending: this.#ending.signal,
    };
    this.#view = new PodView(deps.node, this.state, deps.told, { isNew, doubt: () => this.wake() });
    this.#prober = new Prober(deps.node, this.state, () => this.#judged());
    this.update(known ? pod : undefined, toldAs);
  }

  /**
   * The pod as it is wanted now; undefined when it is not any more. `toldAs` is what its status is told of: for a static
   * pod the one that stands for it in the API, once there is one.
   */
  update(pod: CoreV1Pod | undefined, toldAs: CoreV1Pod | undefined): void {
    const { state } = this;
    const references = referencesKey(pod ?? state.pod, this.#deps.node.desired());
    // Most of what the node hears is about others.
    const isSame = pod === this.#given && toldAs === this.#toldAs && !state.memory.resize?.pending;
    const before = this.#toldAs?.metadata.uid;
    if (before && before !== state.uid && before !== toldAs?.metadata.uid) this.#deps.reporter.forget(before);
    this.#toldAs = toldAs;
    if (pod && state.known && isSame && references === this.#references) return;
    this.#given = pod;
    state.known = pod !== undefined;
    if (pod) state.pod = state.memory.pod = this.#deps.allocate(pod, state.memory);
    if (pod && isToldBetter(pod, state.memory)) this.#deps.reporter.forget(state.uid);
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

  /** The node ends the pod for a reason of its own. */
  end(verdict: Ended): void {
    this.state.memory.ended ??= verdict;
    this.#planAgain();
  }

  /** The pod is over, and the disk is needed that its containers still take. */
  discard(): void {
    this.state.memory.discarded = true;
    this.#planAgain();
  }

  /** Containers that it was told to discard are still there. */
  get isDiscarding(): boolean {
    return this.state.memory.discarded === true && this.#view.observed.length > 0;
  }

  /** Something happened. `full` when containers may be there that are not known. */
  wake(full = false): void {
    this.#view.outdate(full);
    this.#planAgain();
  }

  /** A probe found something new. A pod that ends is not looked at for as long as its grace; this is told all the same. */
  #judged(): void {
    if (this.state.deleted) this.#report();
    this.wake();
  }

  #planAgain(): void {
    this.#dirty = true;
    if (this.#working || this.#stopped) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#dirty && !this.#stopped) this.#planAgain();
    });
  }

  /** The runtime said that a container ended. */
  exited(containerId: string): void {
    this.#view.takeExit(containerId);
    this.#planAgain();
  }

  /** Notices processes that ended without a word. */
  sweep(): void {
    const { sandbox } = this.state.memory;
    const pause = sandbox?.running ? sandbox.pause : undefined;
    const running = attemptsOf(this.state.memory).filter((attempt) => !attempt.exit && attempt.startTicks);
    const { processes } = this.#deps.node.host;
    const pauseDied = pause?.startTicks && !isAlive(processes, pause);
    if (pauseDied || running.some((attempt) => !isAlive(processes, attempt))) this.wake();
  }

  owns(containerId: string): boolean {
    if (this.state.memory.sandbox?.pause?.id === containerId) return true;
    return attemptsOf(this.state.memory).some((attempt) => attempt.id === containerId);
  }

  /** Whether what the runtime has of this pod is what is known here. */
  agreesWith(observed: readonly Observed[]): boolean {
    return this.#view.agreesWith(observed);
  }

  /** Resolves when the step that is being done is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWake();
    this.#cancelReport();
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
        this.#view.expect(steps);
        await this.#deps.executor.execute(steps, this.state);
        if (confirms) this.#wakeLater(this.#deps.node.effects.now() + CONFIRM_AGAIN_MS);
        else this.#dirty = true;
      } catch (error) {
        const { namespace, name } = this.state.memory;
        this.#deps.node.log(`pod ${namespace}/${name}: ${(error as Error).message}`);
        this.#view.outdate(true);
        this.#wakeLater(this.#deps.node.effects.now() + RETRY_MS);
      }
    }
  }

  async #lookAndPlan(): Promise<Step[]> {
    const { node } = this.#deps;
    await this.#view.look();
    if (this.#stopped) return [];
    settleResize(node, this.state);
    const { uid, pod, memory, deleted, known, volumesReady, retryAt } = this.state;
    const now = node.effects.now();
    const wanted = { uid, pod: known ? pod : undefined, deleted, volumesReady, retryAt };
    const { steps, wakeAt } = planPod(wanted, this.#view.observed, now, memory);
    this.#reportBefore(steps);
    this.#prober.update();
    this.#wakeAt = Infinity;
    this.#save();
    if (!known && !steps.length && !this.#view.observed.length) this.#deps.onGone(uid);
    this.#wakeLater(Math.min(wakeAt ?? Infinity, volumesReady && !deleted ? this.#refreshAt() : Infinity));
    return steps;
  }

  /**
   * A container that is replaced is not told of as ended, as the kubelet replaces it in one go: its pod stays ready, if
   * the new one soon is.
   */
  #reportBefore(steps: readonly Step[]): void {
    this.#cancelReport();
    this.#cancelReport = () => {};
    if (!replaces(this.#done, steps)) this.#report();
    else this.#cancelReport = this.#deps.node.effects.after(REPLACE_MS, () => this.#report());
    this.#done = steps;
  }

  #report(): void {
    const { node, reporter } = this.#deps;
    const { pod, memory, deleted, known } = this.state;
    if (!known || !this.#toldAs || isToldBetter(pod, memory)) return;
    const { recursiveReadOnly } = node.host.volumes;
    const context = { hostIPs: node.hostIPs(), now: node.effects.now(), deleted, recursiveReadOnly };
    reporter.report(this.#toldAs, computeStatus(pod, memory, context));
  }

  #save(): void {
    const { memory, uid } = this.state;
    const { pod } = memory;
    // What was told of it comes back with every change of it, and is not needed to end it by its own rules.
    const metadata = { ...pod?.metadata, resourceVersion: undefined, managedFields: undefined };
    const kept = pod && { ...pod, metadata, status: undefined };
    const text = JSON.stringify({ ...memory, pod: kept });
    if (memory.cleaned || text === this.#saved) return;
    try {
      this.#deps.node.host.files.remember(uid, text);
      this.#saved = text;
    } catch (error) {
      // What runs goes on by what is known here; it is saved when the disk can be written again.
      this.#deps.node.log(`pod ${memory.namespace}/${memory.name} cannot be saved: ${(error as Error).message}`);
      this.#wakeLater(this.#deps.node.effects.now() + SAVE_AGAIN_MS);
    }
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
    const { host, desired, events } = this.#deps.node;
    // One after the other, so that what is newest is written last.
    this.#refreshing = this.#refreshing.then(async () => {
      const context = { pod: this.state.pod, desired: desired(), fields: fieldsOf(this.#deps.node, this.state) };
      const problems = await host.volumes.refresh(context).catch((error: Error) => [error.message]);
      for (const problem of problems) events.record(this.state.pod, "Warning", "FailedMount", problem);
    });
  }
}

/** Whether a container is to be started that was just stopped. */
function replaces(done: readonly Step[], steps: readonly Step[]): boolean {
  const stopped = done.flatMap((step) => (step.do === "stopContainer" ? [step.container] : []));
  return steps.some((step) => step.do === "startContainer" && stopped.includes(step.container));
}

/** The cluster was told how a container ended, and here that is not known: what is kept on disk is older. */
function isToldBetter({ status }: CoreV1Pod, { containers, ended }: PodMemory): boolean {
  if (!isOver(status?.phase ?? "Pending") || ended) return false;
  return (status?.containerStatuses ?? []).some(
    ({ name, state }) => state?.terminated?.containerID && !containers[name]?.current?.exit,
  );
}
