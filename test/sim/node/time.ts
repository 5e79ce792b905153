import type { SteadyEffects } from "../../../agent/effects.ts";
import type { Part } from "../contract.ts";

/** The time of one machine: it can stand still, and its clock can be wrong. */
export class NodeTime {
  readonly #part: Part;
  #frozenUntil = 0;
  #skewMs = 0;

  constructor(part: Part) {
    this.#part = part;
  }

  /** Nothing of the machine moves for so long. */
  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#part.now() + ms);
  }

  /** How long it stands still yet, ms; 0 when it moves. */
  frozenFor(): number {
    return Math.max(0, this.#frozenUntil - this.#part.now());
  }

  skew(ms: number): void {
    this.#skewMs = ms;
  }

  /** What the machine's own clock says. */
  wall(): number {
    return this.#part.now() + this.#skewMs;
  }

  /** The time of something on the machine that can end: the agent's process, or one boot. */
  life(): Life {
    return new Life(this, this.#part);
  }
}

/** After its end no timer fires and no promise settles: what waited for one is as if it had never been. */
export class Life {
  readonly effects: Part & SteadyEffects;
  readonly #time: NodeTime;
  readonly #part: Part;
  readonly #timers = new Set<() => void>();
  #ended = false;

  constructor(time: NodeTime, part: Part) {
    this.#time = time;
    this.#part = part;
    this.effects = {
      now: part.now,
      wall: () => time.wall(),
      random: part.random,
      uid: part.uid,
      after: (ms, body) => this.#after(ms, body),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** Settles as `work` does, if this life has not ended by then. */
  await<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.#ended || resolve(value),
        (error) => this.#ended || reject(error),
      );
    });
  }

  #after(ms: number, body: () => void): () => void {
    if (this.#ended) return () => {};
    let cancelNext = this.#part.after(ms, () => fire());
    const cancel = () => {
      cancelNext();
      this.#timers.delete(cancel);
    };
    const fire = () => {
      const wait = this.#time.frozenFor();
      if (wait > 0) cancelNext = this.#part.after(wait, fire);
      else {
        this.#timers.delete(cancel);
        body();
      }
    };
    this.#timers.add(cancel);
    return cancel;
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.#after(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}
