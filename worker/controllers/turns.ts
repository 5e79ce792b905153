import type { Controller } from "./controller.ts";
import type { KeyQueue } from "./queue.ts";

export type Queue = { controller: Controller; keys: KeyQueue };
type Taken = { queue: Queue; key: string };

/** Queues that take turns. */
class Ring {
  readonly #queues: readonly Queue[];
  #turn = 0;

  constructor(queues: readonly Queue[]) {
    this.#queues = queues;
  }

  get size(): number {
    return this.#queues.length;
  }

  take(): Taken | undefined {
    for (let tried = 0; tried < this.#queues.length; tried++) {
      const queue = this.#queues[this.#turn++ % this.#queues.length];
      const key = queue?.keys.take();
      if (queue && key !== undefined) return { queue, key };
    }
    return undefined;
  }
}

/** Reconciles of the others after which the patient ones get a turn each, however much is left. */
const PATIENCE = 500;

/** Which key runs next: controllers take turns, the patient ones when the others are at rest or have had many. */
export class Turns {
  readonly #eager: Ring;
  readonly #patient: Ring;
  #eagerRuns = 0;
  /** Turns that the patient have coming, whatever else waits. */
  #owed = 0;

  constructor(queues: readonly Queue[]) {
    this.#eager = new Ring(queues.filter(({ controller }) => !controller.patient));
    this.#patient = new Ring(queues.filter(({ controller }) => controller.patient));
  }

  take(): Taken | undefined {
    if (this.#eagerRuns >= PATIENCE) {
      this.#eagerRuns = 0;
      this.#owed = this.#patient.size;
    }
    if (this.#owed > 0) {
      const owed = this.#patient.take();
      this.#owed = owed ? this.#owed - 1 : 0;
      if (owed) return owed;
    }
    const eager = this.#eager.take();
    if (eager) this.#eagerRuns++;
    return eager ?? this.#patient.take();
  }
}
