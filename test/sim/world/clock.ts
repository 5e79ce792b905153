import { isBusy } from "./real-async.ts";

type Timer = { at: number; serial: number; body: (() => void) | undefined };

/**
 * The world's one clock. Events run one at a time, in order of time and then of their making; the microtasks of each
 * are over before the next begins.
 */
export class Clock {
  /** Events that ran. */
  events = 0;
  #now: number;
  #serial = 0;
  readonly #heap: Timer[] = [];
  #drained: (() => void)[] = [];
  #stopped: { why: unknown } | undefined;

  constructor(now: number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  /** Calls `body` once after `ms`; returns what cancels it. */
  after(ms: number, body: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, Math.ceil(ms)), serial: this.#serial++, body };
    push(this.#heap, timer);
    return () => {
      timer.body = undefined;
    };
  }

  /** Calls `body` when the microtasks of the event that runs are over. */
  whenDrained(body: () => void): void {
    this.#drained.push(body);
  }

  /** Ends `run` with this error; the first counts. */
  stop(why: unknown): void {
    this.#stopped ??= { why };
  }

  /** Runs all events up to and with `until`. Rejects with what an event threw. */
  run(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          if (this.#stopped) return reject(this.#stopped.why);
          if (isBusy()) return void setImmediate(step);
          if (this.#drained.length > 0) {
            for (const body of this.#drained.splice(0)) body();
            return void setImmediate(step);
          }
          if (!this.#runNext(until)) return resolve();
        } catch (error) {
          return reject(error);
        }
        setImmediate(step);
      };
      setImmediate(step);
    });
  }

  /** False when nothing is left to do before `until`. */
  #runNext(until: number): boolean {
    for (;;) {
      const timer = this.#heap[0];
      if (!timer || timer.at > until) {
        this.#now = Math.max(this.#now, until);
        return false;
      }
      pop(this.#heap);
      const { body } = timer;
      if (!body) continue;
      this.#now = timer.at;
      this.events += 1;
      timer.body = undefined;
      body();
      return true;
    }
  }
}

const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.serial < b.serial);

function push(heap: Timer[], timer: Timer): void {
  let i = heap.length;
  heap.push(timer);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(timer, heap[parent] as Timer)) break;
    heap[i] = heap[parent] as Timer;
    i = parent;
  }
  heap[i] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop() as Timer;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
    if (!before(heap[child] as Timer, last)) break;
    heap[i] = heap[child] as Timer;
    i = child;
  }
  heap[i] = last;
}
