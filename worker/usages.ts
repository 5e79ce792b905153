/**
 * What nodes use, asked of their agents when somebody wants to know: an idle cluster asks nothing and keeps nothing. The
 * answers are small, and come on the control sockets that are open anyway.
 */
import type { Usages } from "./api/metrics/metrics.ts";
import type { Outside } from "./outside.ts";
import type { NodeUsage } from "./protocol/link.ts";

/** An answer is good for so long, in ms: agents measure over 10 s and more. */
const KEPT_MS = 10_000;
/** How long all answers together may take. An agent that was not asked lately takes a second. */
const PATIENCE_MS = 10_000;
/** So many nodes are asked at once, that their answers do not all come together. */
const ASKED_AT_ONCE = 1_000;
/** Answers that are kept, in containers: of larger clusters those asked last. */
const MAX_KEPT_CONTAINERS = 50_000;

type Known = { at: number; usage: NodeUsage };
type Asked = { id: number; pods: boolean; answer: Promise<NodeUsage | undefined>; settle(usage?: NodeUsage): void };

export type UsageParts = {
  /** False when the node is not connected, or does not know the question. */
  ask(node: string, id: number, pods: boolean): boolean;
  /** Aborts after so many ms; `end` ends the wait. */
  deadline: Outside["deadline"];
  now(): number;
  /** How long an answer is good for, ms. */
  keptMs?: number;
};

const containersIn = ({ pods = [] }: NodeUsage) => 1 + pods.reduce((sum, { containers }) => sum + containers.length, 0);

export class NodeUsages implements Usages {
  readonly #parts: UsageParts;
  /** By node, the one asked longest ago first. */
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Asked>();
  #ids = 0;

  constructor(parts: UsageParts) {
    this.#parts = parts;
  }

  async of(nodes: readonly string[], pods: boolean): Promise<ReadonlyMap<string, NodeUsage>> {
    this.#forget();
    const found = new Map<string, NodeUsage>();
    const { signal, end } = this.#parts.deadline(PATIENCE_MS);
    signal.addEventListener("abort", () => this.#giveUp(nodes));
    const waiting = nodes.values();
    const work = async () => {
      for (const node of waiting) {
        const usage = signal.aborted ? undefined : await this.#one(node, pods);
        if (usage) found.set(node, usage);
      }
    };
    await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, nodes.length) }, work));
    end();
    return found;
  }

  /** A node has answered. */
  answered(node: string, id: number, usage: NodeUsage): void {
    const asked = this.#asked.get(node);
    if (asked?.id !== id) return;
    this.#known.delete(node);
    this.#known.set(node, { at: this.#parts.now(), usage });
    asked.settle(usage);
  }

  /** A node has gone: nobody waits for it. */
  gone(node: string): void {
    this.#asked.get(node)?.settle();
  }

  #one(node: string, pods: boolean): Promise<NodeUsage | undefined> {
    const known = this.#known.get(node);
    if (known && (!pods || known.usage.pods)) return Promise.resolve(known.usage);
    const asked = this.#asked.get(node);
    if (asked && (!pods || asked.pods)) return asked.answer;
    const id = ++this.#ids;
    if (!this.#parts.ask(node, id, pods)) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<NodeUsage | undefined>();
    const settle = (usage?: NodeUsage) => {
      if (this.#asked.get(node)?.id === id) this.#asked.delete(node);
      resolve(usage);
      asked?.settle(usage); // with pods it answers both
    };
    this.#asked.set(node, { id, pods, answer: promise, settle });
    return promise;
  }

  /** Who waits for these is answered without them. */
  #giveUp(nodes: readonly string[]): void {
    for (const node of nodes) this.#asked.get(node)?.settle();
  }

  #forget(): void {
    const now = this.#parts.now();
    const { keptMs = KEPT_MS } = this.#parts;
    for (const [node, { at }] of this.#known) if (now - at >= keptMs) this.#known.delete(node);
    let kept = this.#known.values().reduce((sum, { usage }) => sum + containersIn(usage), 0);
    for (const [node, { usage }] of this.#known) {
      if (kept <= MAX_KEPT_CONTAINERS) return;
      kept -= containersIn(usage);
      this.#known.delete(node);
    }
  }
}
