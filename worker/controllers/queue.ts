/** Higher priority first, then first in, first out; a key that waits already keeps its place. */
export class KeyQueue {
  readonly #priorities = new Map<string, number>();
  /** Keys of one priority, in order of arrival; highest priority first. */
  #lanes: { priority: number; keys: Set<string> }[] = [];

  get size(): number {
    return this.#priorities.size;
  }

  has(key: string): boolean {
    return this.#priorities.has(key);
  }

  add(key: string, priority = 0): void {
    if (this.#priorities.has(key)) return;
    this.#priorities.set(key, priority);
    let lane = this.#lanes.find((l) => l.priority === priority);
    if (!lane) {
      lane = { priority, keys: new Set() };
      this.#lanes = [...this.#lanes, lane].sort((a, b) => b.priority - a.priority);
    }
    lane.keys.add(key);
  }

  take(): string | undefined {
    for (const { keys } of this.#lanes)
      for (const key of keys) {
        keys.delete(key);
        this.#priorities.delete(key);
        return key;
      }
    return undefined;
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
