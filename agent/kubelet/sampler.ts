import { dirname } from "node:path";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import { type Cgroup, cgroupOf, type Memory } from "./cgroup.ts";
import { type KubeletNode, type PodOnNode, type RunningContainer, runningIn } from "./node.ts";

/**
 * What a cgroup has used up to a look, in nanoseconds of processor time, and how fast: nanoseconds a second, over so many
 * ms.
 */
export type Figures = { path: string; cpu: number; memory: Memory; nanoCores?: number; windowMs?: number };
export type ContainerFigures = Figures & RunningContainer;
export type PodFigures = { on: PodOnNode; own: Figures; containers: readonly ContainerFigures[] };
/** `at` in ms since the epoch. */
export type NodeFigures = { at: number; own: Figures; pods: readonly PodFigures[] };

/** Rates are over no less than this where somebody asked lately, as with the kubelet's own. */
const WINDOW_MS = 10_000;
/** Who asks for the first time waits so long for a rate. */
const FIRST_WINDOW_MS = 1_000;
/** So long after somebody asked for rates, looks go on. */
const AWAKE_MS = 60_000;
/** Older looks are no base for a rate. */
const OLDEST_MS = 45_000;

type Look = { at: number; totals: ReadonlyMap<string, number> };

/** Figures of the node and its pods, read when they are asked for. Rates need an earlier look, so some are kept. */
export class Sampler {
  readonly #node: Pick<KubeletNode, "present">;
  readonly #effects: Effects & Timers;
  readonly #cgroup: Cgroup;
  readonly #pathOf: (pid: number) => string | undefined;
  /** The newest last. */
  #looks: Look[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #first: Promise<void> | undefined;
  /** By container, whose cgroup never changes. */
  #paths = new Map<string, string>();

  constructor(
    node: Pick<KubeletNode, "present" | "effects">,
    cgroup: Cgroup,
    pathOf: (pid: number) => string | undefined = cgroupOf,
  ) {
    this.#node = node;
    this.#effects = node.effects;
    this.#cgroup = cgroup;
    this.#pathOf = pathOf;
  }

  /** As things are; rates only where an earlier look tells them. */
  look(): NodeFigures {
    const at = this.#effects.now();
    const base = this.#base(at);
    const paths = new Map<string, string>();
    const own = this.#figures("/", "", at, base) ?? NOTHING;
    const pods = this.#node.present().flatMap((on) => this.#pod(on, at, base, paths));
    this.#paths = paths;
    return { at, own, pods };
  }

  /** With rates. Who asks when nobody did for a while waits a second. */
  async rates(): Promise<NodeFigures> {
    const now = this.#effects.now();
    this.#askedAt = now;
    if (!this.#base(now)) {
      this.#first ??= this.#begin();
      await this.#first;
    }
    this.#wake();
    return this.look();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #begin(): Promise<void> {
    this.#remember();
    await this.#effects.sleep(FIRST_WINDOW_MS);
    this.#first = undefined;
  }

  /** Looks go on while somebody asks. */
  #wake(): void {
    this.#cancel ??= this.#effects.after(WINDOW_MS, () => {
      this.#cancel = undefined;
      this.#remember();
      if (this.#effects.now() - this.#askedAt < AWAKE_MS) this.#wake();
    });
  }

  #remember(): void {
    const { at, own, pods } = this.look();
    const totals = new Map([["", own.cpu]]);
    for (const pod of pods) {
      totals.set(pod.on.memory.uid, pod.own.cpu);
      for (const { attempt, cpu } of pod.containers) totals.set(attempt.id, cpu);
    }
    this.#looks = [...this.#looks.filter((look) => at - look.at < OLDEST_MS), { at, totals }];
  }

  /** The newest look that is old enough, else the oldest that will do. */
  #base(now: number): Look | undefined {
    const usable = this.#looks.filter(({ at }) => now - at < OLDEST_MS && now - at >= FIRST_WINDOW_MS);
    return usable.findLast(({ at }) => now - at >= WINDOW_MS) ?? usable[0];
  }

  #pod(on: PodOnNode, at: number, base: Look | undefined, paths: Map<string, string>): PodFigures[] {
    const containers = runningIn(on).flatMap((container): ContainerFigures[] => {
      const { id, startedAt } = container.attempt;
      const path = this.#paths.get(id) ?? this.#pathOf(container.pid);
      const figures = path === undefined ? undefined : this.#figures(path, id, at, base, startedAt);
      if (!figures) return []; // it has just ended
      paths.set(id, figures.path);
      return [{ ...container, ...figures }];
    });
    const [first] = containers;
    if (!first) return [];
    const own = this.#figures(dirname(first.path), on.memory.uid, at, base, on.memory.startedAt);
    return own ? [{ on, own, containers }] : [];
  }

  #figures(path: string, key: string, at: number, base: Look | undefined, startedAt?: number): Figures | undefined {
    const cpu = this.#cgroup.cpu(path);
    const memory = this.#cgroup.memory(path);
    if (cpu === undefined || !memory) return undefined;
    return { path, cpu, memory, ...rate(cpu, key, at, base, startedAt) };
  }
}

const NOTHING: Figures = {
  path: "/",
  cpu: 0,
  memory: {
    usage: 0,
    workingSet: 0,
    rss: 0,
    cache: 0,
    mappedFile: 0,
    swap: 0,
    activeFile: 0,
    inactiveFile: 0,
    kernel: 0,
    max: 0,
    failures: 0,
    pageFaults: 0,
    majorPageFaults: 0,
  },
};

/** What began after the base has used all that it used since it began. */
function rate(
  total: number,
  key: string,
  at: number,
  base: Look | undefined,
  startedAt = 0,
): Pick<Figures, "nanoCores" | "windowMs"> {
  const before = base?.totals.get(key);
  const from = before === undefined ? { at: startedAt, total: 0 } : { at: base?.at ?? 0, total: before };
  if (before === undefined && startedAt < (base?.at ?? Number.POSITIVE_INFINITY)) return {};
  const windowMs = at - from.at;
  if (windowMs < FIRST_WINDOW_MS) return {};
  return { nanoCores: Math.max(0, Math.round(((total - from.total) / windowMs) * 1000)), windowMs };
}
