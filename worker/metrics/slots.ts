/** Arithmetic on series: setting, adding and averaging slots. */
import {
  isAskedKey,
  MEASURES,
  type Measure,
  NODE_SERIES,
  namespaceOf,
  othersIn,
  type SeriesByKey,
} from "../lib/facts/metric-series.ts";

/** As stored: what lies behind the last known slot is left out. */
export type Chunk = Record<string, Partial<Record<Measure, (number | null)[]>>>;

/** A chunk has so many series at most, beside what is folded into one for each namespace. */
export const MAX_SERIES = 128;
/** And so many of requests, which have more measures; of others nothing is kept. */
export const MAX_ASKED = 96;

const DIGITS = 4;
/** Four digits are enough for a plot, and half the bytes. */
export const rounded = (value: number): number => Number(value.toPrecision(DIGITS));

/** The figures of one slot, those of workloads that the chunk has no room for added to the others of their namespace. */
export function setSlot(
  chunk: Chunk,
  slot: number,
  figures: ReadonlyMap<string, Partial<Record<Measure, number>>>,
): void {
  const summed = new Map<string, Partial<Record<Measure, number>>>();
  const known = Object.keys(chunk);
  let asked = known.filter(isAskedKey).length;
  let count = known.length - asked;
  for (const [key, measures] of figures) {
    const isKnown = key === NODE_SERIES || Object.hasOwn(chunk, key) || summed.has(key);
    const isAsked = isAskedKey(key);
    if (isAsked && !isKnown && asked >= MAX_ASKED) continue;
    const target = isAsked || isKnown || count < MAX_SERIES ? key : othersIn(namespaceOf(key));
    if (!Object.hasOwn(chunk, target) && !summed.has(target)) {
      if (isAsked) asked += 1;
      else count += 1;
    }
    const sum = summed.get(target) ?? {};
    for (const measure of MEASURES) {
      const value = measures[measure];
      if (value !== undefined) sum[measure] = (sum[measure] ?? 0) + value;
    }
    summed.set(target, sum);
  }
  for (const [key, measures] of summed) {
    chunk[key] ??= {};
    const series = chunk[key];
    for (const measure of MEASURES) {
      const value = measures[measure];
      if (value === undefined) continue;
      series[measure] ??= [];
      const values = series[measure];
      while (values.length < slot) values.push(null);
      values[slot] = rounded(value);
    }
  }
}

export function figuresAt(series: SeriesByKey, slot: number): Map<string, Partial<Record<Measure, number>>> {
  const found = new Map<string, Partial<Record<Measure, number>>>();
  for (const [key, measures] of Object.entries(series)) {
    const own: Partial<Record<Measure, number>> = {};
    for (const measure of MEASURES) {
      const value = measures[measure]?.[slot];
      if (typeof value === "number") own[measure] = value;
    }
    if (Object.keys(own).length > 0) found.set(key, own);
  }
  return found;
}

/** How many slots of a chunk the node told of. */
const knownIn = (chunk: SeriesByKey): number =>
  Math.max(0, ...Object.values(chunk[NODE_SERIES] ?? {}).map((values) => values.filter((v) => v !== null).length));

/** The averages of a whole chunk: what was there for a part of the time counts for that part. */
export function averages(chunk: SeriesByKey): Map<string, Partial<Record<Measure, number>>> {
  const known = knownIn(chunk);
  const found = new Map<string, Partial<Record<Measure, number>>>();
  for (const [key, measures] of Object.entries(chunk)) {
    const own: Partial<Record<Measure, number>> = {};
    for (const measure of MEASURES) {
      const values = (measures[measure] ?? []).filter((value) => value !== null);
      if (values.length === 0) continue;
      const over = key === NODE_SERIES ? values.length : Math.max(known, values.length);
      own[measure] = values.reduce((sum, value) => sum + value, 0) / over;
    }
    found.set(key, own);
  }
  return found;
}
