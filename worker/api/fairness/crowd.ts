/** How long ago another client may have been served and still count as about, ms. */
const LATELY_MS = 1000;

/** Whose requests wait, by flow: whether one client alone is left while others are about. */
export class Crowd {
  readonly #waiting = new Map<string, number>();
  #last: string | undefined;
  #mixedAt = Number.NEGATIVE_INFINITY;

  came(flow: string): void {
    this.#waiting.set(flow, (this.#waiting.get(flow) ?? 0) + 1);
  }

  served(flow: string, now: number): void {
    const left = (this.#waiting.get(flow) ?? 0) - 1;
    if (left > 0) this.#waiting.set(flow, left);
    else this.#waiting.delete(flow);
    if (this.#last !== undefined && flow !== this.#last) this.#mixedAt = now;
    this.#last = flow;
  }

  /** One alone still waits, and others, who were served of late, will come again. */
  isLeftToOne(now: number): boolean {
    return this.#waiting.size === 1 && now - this.#mixedAt < LATELY_MS;
  }
}
