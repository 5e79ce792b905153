/** What the agent counts as it goes: counters and histograms that live as long as its process. */
import type { Exposition, HistogramValue, Labels } from "./exposition.ts";

/** As in Prometheus' own libraries. */
export const DEFAULT_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const exponentialBounds = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => Number((start * factor ** index).toPrecision(12)));

/** A map by labels, which are few. */
class ByLabels<T> {
  readonly #entries = new Map<string, { labels: Labels; value: T }>();

  get(labels: Labels, make: () => T): T {
    const key = JSON.stringify(labels);
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { labels, value: make() };
      this.#entries.set(key, entry);
    }
    return entry.value;
  }

  entries(): Iterable<{ labels: Labels; value: T }> {
    return this.#entries.values();
  }

  keep(isWanted: (labels: Labels) => boolean): void {
    for (const [key, { labels }] of this.#entries) if (!isWanted(labels)) this.#entries.delete(key);
  }
}

export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new ByLabels<{ count: number }>();

  /** Without labels it is told from the beginning, as 0. */
  constructor(name: string, help: string, known: readonly Labels[] = []) {
    this.#name = name;
    this.#help = help;
    for (const labels of known) this.add(labels, 0);
  }

  add(labels: Labels = {}, by = 1): void {
    this.#values.get(labels, () => ({ count: 0 })).count += by;
  }

  /** Forgets all others. */
  keep(isWanted: (labels: Labels) => boolean): void {
    this.#values.keep(isWanted);
  }

  tell(to: Exposition): void {
    for (const { labels, value } of this.#values.entries())
      to.add(this.#name, "counter", this.#help, value.count, labels);
  }
}

export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #values = new ByLabels<HistogramValue>();

  constructor(name: string, help: string, bounds: readonly number[] = DEFAULT_BOUNDS, known: readonly Labels[] = []) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    for (const labels of known) this.#of(labels);
  }

  observe(value: number, labels: Labels = {}): void {
    const held = this.#of(labels);
    const index = this.#bounds.findIndex((bound) => value <= bound);
    const at = index === -1 ? this.#bounds.length : index;
    held.counts[at] = (held.counts[at] ?? 0) + 1;
    held.sum += value;
  }

  keep(isWanted: (labels: Labels) => boolean): void {
    this.#values.keep(isWanted);
  }

  tell(to: Exposition): void {
    for (const { labels, value } of this.#values.entries()) to.histogram(this.#name, this.#help, value, labels);
  }

  #of(labels: Labels): HistogramValue {
    const counts = () => new Array<number>(this.#bounds.length + 1).fill(0);
    return this.#values.get(labels, () => ({ bounds: this.#bounds, counts: counts(), sum: 0 }));
  }
}
