import type { Step } from "../plan.ts";
import type { NodeContext, PodState } from "./context.ts";
import { containerNamed } from "./fields.ts";
import { type Attempt, attemptsOf } from "./memory.ts";
import { absorb, isStanding, Label, type Observed, observe } from "./observe.ts";
import { isAlive } from "./processes.ts";

const DOUBT_MS = 1_000;

/** `at` in ms since the epoch. */
export type RecentExit = { code: number; at: number };

/** What the runtime's events have told of late. */
export type Told = {
  /** IDs of containers that the kernel took memory from by force. */
  readonly oomed: ReadonlySet<string>;
  /** How containers ended, by ID. */
  readonly exits: ReadonlyMap<string, RecentExit>;
};

/** Steps that tell themselves what they changed in the runtime. */
const seenThrough: ReadonlySet<Step["do"]> = new Set([
  "prepareVolumes",
  "createSandbox",
  "pullImage",
  "startContainer",
  "backOff",
  "resizePod",
  "stopContainer",
  "killPod",
  "removeContainers",
  "endPod",
  "closeSandbox",
  "cleanUp",
  "confirmDeletion",
]);

/** What the runtime has of one pod. It is asked only when something may have happened that nobody told. */
export class PodView {
  readonly #node: NodeContext;
  readonly #state: PodState;
  readonly #told: Told;
  readonly #doubt: () => void;
  #observed: readonly Observed[] = [];
  /** The runtime has to be asked for all containers of the pod, not only for those known. */
  #full: boolean;
  /** Nothing is known to have happened but what the pod's own steps did. */
  #current = false;
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  readonly #doubted = new Set<string>();

  /** `isNew` promises that no container of the pod can be there. `doubt` is called when it should be looked at again. */
  constructor(node: NodeContext, state: PodState, told: Told, given: { isNew: boolean; doubt(): void }) {
    this.#node = node;
    this.#state = state;
    this.#told = told;
    this.#full = !given.isNew;
    this.#doubt = given.doubt;
  }

  get observed(): readonly Observed[] {
    return this.#observed;
  }

  /** Something happened. `full` when containers may be there that are not known. */
  outdate(full: boolean): void {
    this.#full ||= full;
    this.#current = false;
  }

  /** These steps are about to be done. */
  expect(steps: readonly Step[]): void {
    this.#current &&= steps.every((step) => seenThrough.has(step.do));
  }

  /** Resolves when a container has ended. */
  exited(id: string): Promise<void> {
    if (this.#told.exits.has(id)) return Promise.resolve();
    const held = this.#waiting.get(id) ?? Promise.withResolvers<void>();
    this.#waiting.set(id, held);
    return held.promise;
  }

  /** An event told that a container ended, which is among those told by now. */
  takeExit(id: string): void {
    this.#release(id);
    this.#observed = this.#observed.map((o) => this.#withExit(o));
  }

  /** Whether what the runtime has of this pod is what is known here. */
  agreesWith(observed: readonly Observed[]): boolean {
    const known = new Set(this.#observed.map((o) => `${o.id} ${o.state}`));
    return observed.length === known.size && observed.every((o) => known.has(`${o.id} ${o.state}`));
  }

  /** Brings what is known, and the pod's memory, up to what is. */
  async look(): Promise<void> {
    const { effects, host, network } = this.#node;
    const { memory, uid } = this.#state;
    const full = this.#full || this.#state.lookFully === true;
    this.#full = this.#state.lookFully = false;
    if (this.#current && !full && !this.#anyEndedUntold()) this.#takeFresh();
    else await this.#ask(full);
    await this.#logged();
    absorb(memory, this.#observed, network, effects.now(), {
      message: (attempt, failed) => host.files.message(attempt, this.#messagePolicyOf(attempt), failed),
      isOom: ({ id }) => this.#told.oomed.has(id) || host.cgroups.oomKills(uid, id) > 0,
    });
    this.#identify();
  }

  async #ask(full: boolean): Promise<void> {
    const { runtime, effects, network } = this.#node;
    const { memory, uid } = this.#state;
    this.#current = true; // until something happens, which may be while the runtime answers
    const known = [memory.sandbox?.pause?.id, ...attemptsOf(memory).map((attempt) => attempt.id)].filter((id) => id);
    const ids = full ? await runtime.list(`${Label.podUid}=${uid}`) : (known as string[]);
    const found = (await runtime.inspect(ids)).map((inspected) => observe(inspected, effects));
    // Without its sandbox all of the pod is gone, as after a reboot.
    const standing = isStanding(memory.sandbox, network);
    this.#observed = standing ? found.map((o) => this.#withExit(this.#believe(o))) : found;
    this.#state.fresh = { made: [], removed: [] };
  }

  /** Learns which processes are the pod's; those of containers that are taken for ended are to end. */
  #identify(): void {
    const { cgroups, processes } = this.#node.host;
    const { memory, uid } = this.#state;
    for (const { current } of Object.values(memory.containers)) {
      if (!current) continue;
      if (current.exit) {
        // Its keeper may have been killed, and it go on alone.
        if (current.exit.reason === "Unknown") cgroups.end(uid, current.id);
        this.#release(current.id);
      } else if (current.pid) current.startTicks ??= processes.startTicks(current.pid);
    }
    const pause = memory.sandbox?.pause;
    if (pause?.pid) pause.startTicks ??= processes.startTicks(pause.pid);
  }

  /** A process is gone, and no event has told how it ended. */
  #anyEndedUntold(): boolean {
    const { processes } = this.#node.host;
    const running = new Set(this.#observed.filter((o) => o.state === "running").map((o) => o.id));
    const pause = this.#state.memory.sandbox?.pause;
    const known = [...attemptsOf(this.#state.memory), ...(pause ? [pause] : [])];
    return known.some((process) => running.has(process.id) && !isAlive(processes, process));
  }

  /**
   * For a moment after its end, and for good when its keeper was killed, a container looks as if it had never run. Its
   * end is believed when an event told of it, or when it still looks so a little later.
   */
  #believe(o: Observed): Observed {
    const running = attemptsOf(this.#state.memory).find((attempt) => attempt.id === o.id && !attempt.exit);
    if (o.state !== "created" || !running) return o;
    const exit = this.#told.exits.get(o.id);
    if (exit) return { ...o, state: "exited", exitCode: exit.code, finishedAt: exit.at };
    if (this.#doubted.has(o.id)) return o;
    this.#doubted.add(o.id);
    this.#node.effects.after(DOUBT_MS, this.#doubt);
    return { ...o, state: "running", pid: running.pid ?? 0 };
  }

  /** As it is by now: its end may be known before the runtime's answer is here. */
  #withExit(o: Observed): Observed {
    const exit = o.state === "running" && this.#told.exits.get(o.id);
    return exit ? { ...o, state: "exited", exitCode: exit.code, finishedAt: exit.at } : o;
  }

  #takeFresh(): void {
    const { made, removed } = this.#state.fresh;
    const replaced = new Set([...removed, ...made.map((o) => o.id)]);
    const fresh = made.map((o) => this.#withExit(o));
    this.#observed = [...this.#observed.filter((o) => !replaced.has(o.id)), ...fresh];
    this.#state.fresh = { made: [], removed: [] };
  }

  #messagePolicyOf(attempt: Attempt): string | undefined {
    const [name = ""] = Object.entries(this.#state.memory.containers).find(([, c]) => c.current === attempt) ?? [];
    return containerNamed(this.#state.pod, name)?.terminationMessagePolicy;
  }

  /** Whoever sees that a container has ended finds all of its log, in which its termination message may be. */
  async #logged(): Promise<void> {
    if (this.#state.deleted) return; // its log goes with it
    const ended = new Set(this.#observed.flatMap(({ id, state }) => (state === "exited" ? id : [])));
    const over = attemptsOf(this.#state.memory).filter((attempt) => !attempt.exit && ended.has(attempt.id));
    await Promise.all(over.map(({ id }) => this.#node.host.logged?.(id)));
  }

  #release(id: string): void {
    this.#waiting.get(id)?.resolve();
    this.#waiting.delete(id);
  }
}
