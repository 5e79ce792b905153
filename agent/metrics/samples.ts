/** What a node has measured and not sent yet: a slot a minute, of the node and its pods by their uids. */
import {
  isAskedKey,
  MAX_ASKED_SENT,
  MEASURES,
  type Measure,
  MINUTE_MS,
  NODE_SERIES,
  namespaceOf,
  othersIn,
  type RequestFigures,
  type SentSeries,
} from "../../worker/lib/facts/metric-series.ts";

/**
 * What was counted up to a look: nanoseconds of processor time, bytes in use, and bytes received and sent where that is its own.
 * `since` is when a pod began, in the same time as looks; its counters outlive its containers.
 */
export type Counted = { cpu: number; memory: number; received?: number; sent?: number; since?: number };
/**
 * By uid, and the node's own as `NODE_SERIES`; and by their series' keys what requests there were since the look before.
 * `at` is when, in the cluster's time.
 */
export type Look = {
  at: number;
  counted: ReadonlyMap<string, Counted>;
  requests?: ReadonlyMap<string, RequestFigures>;
};

type Figures = Partial<Record<Measure, number>>;
type Slot = Map<string, Figures>;
/** As it lies on disk while no agent runs. */
export type SavedSamples = { start: number; figures: [string, Figures][] }[];

/** Held at most while nothing can be sent: half a day, of fewer minutes where there are many pods. */
const MAX_SLOTS = 720;
const MAX_FIGURES = 40_000;
/** Looks further apart are of a machine that slept: its rates say nothing of any minute. */
const OLDEST_MS = 5 * MINUTE_MS;
/** Sent at once, beside the node's own: the greatest; the others are one series for each namespace. */
const MAX_SERIES = 60;
/** As many as are taken at once. */
const MAX_SENT_SLOTS = 120;
const DIGITS = 4;
const NANOSECONDS_IN_MS_OF_A_THOUSANDTH = 1000;
const SECOND_MS = 1000;

const rounded = (value: number) => Number(value.toPrecision(DIGITS));

export class Samples {
  #last: Look | undefined;
  /** By their beginning, the oldest first. */
  readonly #slots = new Map<number, Slot>();

  constructor(saved: SavedSamples = []) {
    for (const { start, figures } of saved) this.#slots.set(start, new Map(figures));
  }

  take(look: Look): void {
    const before = this.#last;
    this.#last = look;
    if (!before || look.at <= before.at || look.at - before.at > OLDEST_MS) return;
    const middle = (before.at + look.at) / 2;
    const slot: Slot = new Map(look.requests);
    for (const [uid, counted] of look.counted) {
      // What has begun since has used all that it used since then; of what was only not seen, no rate is known.
      const isNew = (counted.since ?? look.at) >= before.at;
      const from = before.counted.get(uid) ?? (isNew ? NOTHING : counted);
      slot.set(uid, figuresOf(from, counted, look.at - before.at));
    }
    this.#slots.set(middle - (middle % MINUTE_MS), slot);
    this.#shed();
  }

  /**
   * The oldest that are still of use, with `keyOf` telling of which series a pod is, and of requests under which name they are
   * told of; undefined where there is nothing.
   */
  next(
    since: number,
    keyOf: (name: string) => string | undefined,
  ): (SentSeries & { slots: readonly number[] }) | undefined {
    for (const start of this.#slots.keys()) if (start < since) this.#slots.delete(start);
    const starts = [...this.#slots.keys()].toSorted((a, b) => a - b);
    const [first] = starts;
    if (first === undefined) return undefined;
    const slots = starts.filter((start) => start < first + MAX_SENT_SLOTS * MINUTE_MS);
    const seriesOf = (name: string) => (name === NODE_SERIES ? name : keyOf(name));
    const summed = slots.map((start) => summedBy(this.#slots.get(start) ?? new Map(), seriesOf));
    const named = foldOf(summed);
    const series: Record<string, Partial<Record<Measure, (number | null)[]>>> = {};
    for (const [i, start] of slots.entries())
      for (const [key, figures] of summedBy(summed[i] ?? new Map(), named)) {
        series[key] ??= {};
        const own = series[key];
        for (const measure of MEASURES) {
          if (figures[measure] === undefined) continue;
          own[measure] ??= [];
          const values = own[measure];
          while (values.length < (start - first) / MINUTE_MS) values.push(null);
          values.push(rounded(figures[measure]));
        }
      }
    return { start: first, series, slots };
  }

  /** Pods of which something is held. */
  pods(): Set<string> {
    return new Set([...this.#slots.values()].flatMap((slot) => [...slot.keys()].filter((uid) => !isOwnKey(uid))));
  }

  /** They have arrived, or never will. */
  done(slots: readonly number[]): void {
    for (const start of slots) this.#slots.delete(start);
  }

  saved(): SavedSamples {
    return [...this.#slots].map(([start, figures]) => ({ start, figures: [...figures] }));
  }

  #shed(): void {
    let figures = this.#slots.values().reduce((sum, { size }) => sum + size, 0);
    for (const [start, { size }] of this.#slots) {
      if (this.#slots.size <= MAX_SLOTS && figures <= MAX_FIGURES) return;
      this.#slots.delete(start);
      figures -= size;
    }
  }
}

const NOTHING: Counted = { cpu: 0, memory: 0, received: 0, sent: 0 };

function figuresOf(before: Counted, now: Counted, ms: number): Figures {
  // A counter that went back has begun anew.
  const grown = (from: number, to: number) => (to < from ? to : to - from);
  const rate = (from: number | undefined, to: number) => (grown(from ?? to, to) * SECOND_MS) / ms;
  const { received, sent } = now;
  return {
    cpu: grown(before.cpu, now.cpu) / ms / NANOSECONDS_IN_MS_OF_A_THOUSANDTH,
    memory: now.memory,
    ...(received !== undefined && { received: rate(before.received, received) }),
    ...(sent !== undefined && { sent: rate(before.sent, sent) }),
  };
}

/** What is held under its series' key, and not by a pod's uid. */
const isOwnKey = (name: string) => name === NODE_SERIES || isAskedKey(name);

/** What has no key is left out: it is in the node's own figures all the same. */
function summedBy(slot: Slot, keyOf: (name: string) => string | undefined): Slot {
  const sums: Slot = new Map();
  for (const [name, figures] of slot) {
    const key = keyOf(name);
    if (key === undefined) continue;
    const sum = sums.get(key) ?? {};
    for (const measure of MEASURES) {
      const value = figures[measure];
      if (value !== undefined) sum[measure] = (sum[measure] ?? 0) + value;
    }
    sums.set(key, sum);
  }
  return sums;
}

/** Under which name each series is sent: those with the most memory under their own; not at all, where others were asked more. */
function foldOf(slots: readonly Slot[]): (key: string) => string | undefined {
  const [weights, requests] = [new Map<string, number>(), new Map<string, number>()];
  for (const slot of slots)
    for (const [key, figures] of slot) {
      if (key === NODE_SERIES) continue;
      const isAsked = isAskedKey(key);
      const [of, more] = isAsked ? [requests, figures.requests] : [weights, figures.memory];
      of.set(key, (of.get(key) ?? 0) + (more ?? 0));
    }
  const greatest = (of: Map<string, number>, count: number) =>
    [...of]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([key]) => key);
  const own = new Set([NODE_SERIES, ...greatest(weights, MAX_SERIES), ...greatest(requests, MAX_ASKED_SENT)]);
  return (key) => (own.has(key) ? key : isAskedKey(key) ? undefined : othersIn(namespaceOf(key)));
}
