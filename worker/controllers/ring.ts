import type { Controller } from "./controller.ts";
import type { KeyQueue } from "./queue.ts";

export type Queue = { controller: Controller; keys: KeyQueue };

/** Queues that take turns. */
export class Ring {
  readonly #queues: readonly Queue[];
  #turn = 0;

  constructor(queues: readonly Queue[]) {
    this.#queues = queues;
  }

  get size(): number {
    return this.#queues.length;
  }

  take(): { queue: Queue; key: string } | undefined {
    for (let tried = 0; tried < this.#queues.length; tried++) {
      const queue = this.#queues[this.#turn++ % this.#queues.length];
      const key = queue?.keys.take();
      if (queue && key !== undefined) return { queue, key };
    }
    return undefined;
  }
}
