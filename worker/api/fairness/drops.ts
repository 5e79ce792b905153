/**
 * When a refused client is to come back: sooner or later as a level refuses less or more, in the steps of
 * kube-apiserver (`k8s.io/apiserver/pkg/util/flowcontrol`).
 */
const MAX_RETRY_SECONDS = 32;
/** Refusals a second that make clients wait twice as long. */
const MANY_A_SECOND = 3;

export class Drops {
  #retryAfter = 1;
  #raisedAt = 0;
  /** Refusals in each of the last seconds, oldest first. */
  #history: { second: number; count: number }[] = [];

  /** Seconds to wait, after one more refusal. `now` in ms. */
  record(now: number): number {
    const second = Math.floor(now / 1000);
    const last = this.#history.at(-1);
    if (last?.second === second) last.count++;
    else {
      this.#adapt(second);
      this.#history.push({ second, count: 1 });
    }
    return this.#retryAfter;
  }

  #adapt(second: number): void {
    const kept = Math.min(2 * this.#retryAfter, MAX_RETRY_SECONDS);
    this.#history = this.#history.filter((past) => second - past.second <= kept);
    const lately = this.#history.filter((past) => second - past.second <= this.#retryAfter);
    const dropped = lately.reduce((sum, { count }) => sum + count, 0);
    if (second - this.#raisedAt >= this.#retryAfter && dropped >= MANY_A_SECOND * this.#retryAfter) {
      this.#retryAfter = Math.min(2 * this.#retryAfter, MAX_RETRY_SECONDS);
      this.#raisedAt = second;
    } else if (dropped < this.#retryAfter && this.#retryAfter > 1) this.#retryAfter--;
  }
}
