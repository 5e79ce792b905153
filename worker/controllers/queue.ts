/** First in, first out; a key that waits already keeps its place. */
export class KeyQueue {
  readonly #keys = new Set<string>();

  get size(): number {
    return this.#keys.size;
  }

  add(key: string): void {
    this.#keys.add(key);
  }

  take(): string | undefined {
    for (const key of this.#keys) {
      this.#keys.delete(key);
      return key;
    }
    return undefined;
  }

  keys(): Iterable<string> {
    return this.#keys;
  }

  clear(): void {
    this.#keys.clear();
  }
}

/** client-go's per-item limiter: 5 ms, doubled by every failure in a row, at most 1,000 s. */
const FIRST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 1_000_000;

export class Backoff {
  readonly #failures = new Map<string, number>();

  /** Counts a failure; the time to wait before the next try, ms. */
  next(item: string): number {
    const failures = this.#failures.get(item) ?? 0;
    this.#failures.set(item, failures + 1);
    return Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
  }

  forget(item: string): void {
    this.#failures.delete(item);
  }
}
