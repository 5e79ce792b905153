/**
 * The figures of a cluster's nodes and workloads, of an hour to a month: for each node a row for each of the last hours, with
 * a slot a minute, and one for every four days of the last month, with a slot an hour. So there are at most
 * `MAX_ROWS_PER_NODE` rows of a node, and what it sends changes one of them, or three once an hour. What it tells of requests is
 * in the same rows.
 */
import {
  HOUR_MS,
  isAskedKey,
  MEASURES,
  MINUTE_MS,
  NODE_SERIES,
  othersIn,
  type Range,
  type SentSeries,
  type Series,
  type SeriesByKey,
  type ToldSeries,
  type Values,
  valuesOf,
} from "../lib/facts/metric-series.ts";
import { ApiError } from "../lib/status.ts";
import type { Sql } from "../storage/store.ts";
import { averages, type Chunk, figuresAt, rounded, setSlot } from "./slots.ts";

const DAY_MS = 24 * HOUR_MS;

/** A slot's length names the grain; a chunk is a row. */
type Grain = { slotMs: number; chunkMs: number; keptMs: number };
const FINE: Grain = { slotMs: MINUTE_MS, chunkMs: HOUR_MS, keptMs: DAY_MS + HOUR_MS };
const COARSE: Grain = { slotMs: HOUR_MS, chunkMs: 4 * DAY_MS, keptMs: 30 * DAY_MS };
const GRAINS = [FINE, COARSE];

const rowsOf = ({ keptMs, chunkMs }: Grain) => Math.ceil(keptMs / chunkMs) + 1;
export const MAX_ROWS_PER_NODE = GRAINS.reduce((sum, grain) => sum + rowsOf(grain), 0);
/** Those that are there and those that were within a month. */
export const MAX_NODES = 10_000;
/** A row may have two million. */
const MAX_BODY_CHARACTERS = 1_900_000;
/** A node that told nothing for so long is not waited for. Those that do send every half an hour at least. */
const LATE_MS = 45 * MINUTE_MS;
/** Told of one by one in an answer; the rest is one series. */
const MAX_TOLD = 30;

/** Where an answer's slots come from, and how many they are. */
const PLANS: Readonly<Record<Range, { grain: Grain; stepMs: number; ms: number }>> = {
  "1h": { grain: FINE, stepMs: MINUTE_MS, ms: HOUR_MS },
  "6h": { grain: FINE, stepMs: MINUTE_MS, ms: 6 * HOUR_MS },
  "1d": { grain: FINE, stepMs: 5 * MINUTE_MS, ms: DAY_MS },
  "7d": { grain: COARSE, stepMs: HOUR_MS, ms: 7 * DAY_MS },
  "30d": { grain: COARSE, stepMs: HOUR_MS, ms: 30 * DAY_MS },
};

/** `told` are slots of the node's own, where it told of the others whenever it told of itself. */
type Part = { node: string; start: number; key: string; series: Series; told?: Values | undefined };

export class Chunks {
  readonly #sql: Sql;
  readonly #now: () => number;

  constructor({ sql, now }: { sql: Sql; now(): number }) {
    this.#sql = sql;
    this.#now = now;
  }

  /** Told again it is the same. Throws the 429 where there are too many nodes, and the 413 for too much at once. */
  store(node: string, sent: SentSeries): void {
    this.#sql.transaction(() => {
      this.#admit(node);
      for (const hour of this.#setMinutes(node, sent)) if (hour + HOUR_MS <= this.#now()) this.#setHour(node, hour);
      this.#forget(node);
      this.#forget(this.#neighbour(node));
    });
  }

  /** By the nodes' names, or of the one that is named. */
  nodes(range: Range, name = ""): ToldSeries {
    const { grain, ms } = PLANS[range];
    const which = name ? "AND node = ?" : "";
    const rows = this.#sql.all<{ node: string; start: number; series: string }>(
      `SELECT node, start, json_extract(body, '$.${NODE_SERIES}') AS series FROM chunks
        WHERE grain = ? AND start > ? ${which} AND series IS NOT NULL`,
      ...[grain.slotMs, this.#now() - ms - grain.chunkMs],
      ...(name ? [name] : []),
    );
    const parts = rows.map((row) => ({ ...row, key: row.node, series: JSON.parse(row.series) as Series }));
    return this.#told(range, parts, Number.POSITIVE_INFINITY);
  }

  /** Of a namespace's workloads, or of the one that is named, as `KIND/NAME`; or of what is asked for, as `RESOURCE/NAME`. */
  namespace(range: Range, namespace: string, name = ""): ToldSeries {
    const isMeant = name
      ? (key: string) => key === `${namespace}/${name}`
      : (key: string) => key.startsWith(`${namespace}/`) && !isAskedKey(key);
    const parts = this.#partsWith(`"${namespace}/${name}`, range);
    const meant = Iterator.from(parts).filter(({ key }) => isMeant(key));
    const answer = this.#told(range, meant, this.#wholeUntil());
    return { ...answer, series: greatest(answer.series, namespace) };
  }

  /** Of rows in which a text occurs, those of one node at a time: all of them are more than memory takes. */
  *#partsWith(text: string, range: Range): Iterable<Part> {
    const { grain, ms } = PLANS[range];
    for (let node = this.#nodeAfter(""); node !== undefined; node = this.#nodeAfter(node)) {
      const rows = this.#sql.all<{ start: number; body: string }>(
        "SELECT start, body FROM chunks WHERE node = ? AND grain = ? AND start > ? AND instr(body, ?) > 0",
        ...[node, grain.slotMs, this.#now() - ms - grain.chunkMs, text],
      );
      for (const { start, body } of rows) yield* partsOf(node, start, JSON.parse(body) as SeriesByKey);
    }
  }

  #admit(node: string): void {
    const [known] = this.#sql.all("SELECT 1 FROM chunks WHERE node = ? LIMIT 1", node);
    if (known) return;
    const [{ count = 0 } = {}] = this.#sql.all<{ count: number }>("SELECT count(DISTINCT node) AS count FROM chunks");
    if (count >= MAX_NODES)
      throw new ApiError(429, "TooManyRequests", `figures of ${MAX_NODES} nodes are kept at most`);
  }

  /** Which hours it was of. */
  #setMinutes(node: string, { start, series }: SentSeries): readonly number[] {
    const slots = Math.max(
      0,
      ...Object.values(series).flatMap((of) => Object.values(of).map((values) => values.length)),
    );
    const hours: number[] = [];
    for (let hour = start - (start % HOUR_MS); hour < start + slots * MINUTE_MS; hour += HOUR_MS) {
      const chunk = this.#read(node, FINE, hour);
      let until = 0;
      for (let at = Math.max(hour, start); at < Math.min(hour + HOUR_MS, start + slots * MINUTE_MS); at += MINUTE_MS) {
        const figures = figuresAt(series, (at - start) / MINUTE_MS);
        if (figures.size === 0) continue;
        setSlot(chunk, (at - hour) / MINUTE_MS, figures);
        until = at + MINUTE_MS;
      }
      if (until === 0) continue;
      this.#write(node, FINE, hour, until, chunk);
      hours.push(hour);
    }
    return hours;
  }

  #setHour(node: string, hour: number): void {
    const start = hour - (hour % COARSE.chunkMs);
    const chunk = this.#read(node, COARSE, start);
    setSlot(chunk, (hour - start) / HOUR_MS, averages(this.#read(node, FINE, hour)));
    this.#write(node, COARSE, start, hour + HOUR_MS, chunk);
  }

  #read(node: string, { slotMs }: Grain, start: number): Chunk {
    const [row] = this.#sql.all<{ body: string }>(
      "SELECT body FROM chunks WHERE node = ? AND grain = ? AND start = ?",
      ...[node, slotMs, start],
    );
    return row ? (JSON.parse(row.body) as Chunk) : {};
  }

  #write(node: string, { slotMs }: Grain, start: number, until: number, chunk: Chunk): void {
    let body = JSON.stringify(chunk);
    // Requests are any node's to tell, and are not to cost the node what it told of itself.
    if (body.length > MAX_BODY_CHARACTERS)
      body = JSON.stringify(Object.fromEntries(Object.entries(chunk).filter(([key]) => !isAskedKey(key))));
    if (body.length > MAX_BODY_CHARACTERS)
      throw new ApiError(413, "RequestEntityTooLarge", "these are more figures than are kept of a node");
    this.#sql.run(
      `INSERT INTO chunks (node, grain, start, until, body) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET until = max(until, excluded.until), body = excluded.body`,
      ...[node, slotMs, start, until, body],
    );
  }

  #forget(node: string | undefined): void {
    if (node === undefined) return;
    for (const { slotMs, chunkMs, keptMs } of GRAINS)
      this.#sql.run(
        "DELETE FROM chunks WHERE node = ? AND grain = ? AND start <= ?",
        ...[node, slotMs, this.#now() - keptMs - chunkMs],
      );
  }

  /** Nodes that have gone send nothing, so each looks after the next, in a ring. */
  #neighbour(node: string): string | undefined {
    return this.#nodeAfter(node) ?? this.#nodeAfter("");
  }

  #nodeAfter(node: string): string | undefined {
    const statement = "SELECT node FROM chunks WHERE node > ? ORDER BY node LIMIT 1";
    return this.#sql.all<{ node: string }>(statement, node)[0]?.node;
  }

  /** Up to when all nodes have told what they measured: after that a sum would be too small. */
  #wholeUntil(): number {
    const now = this.#now();
    const rows = this.#sql.all<{ until: number }>(
      "SELECT max(until) AS until FROM chunks WHERE grain = ? AND start > ? GROUP BY node HAVING max(until) > ?",
      ...[FINE.slotMs, now - LATE_MS - HOUR_MS, now - LATE_MS],
    );
    return Math.min(...rows.map(({ until }) => until));
  }

  #told(range: Range, parts: Iterable<Part>, wholeUntil: number): ToldSeries {
    const { grain, stepMs, ms } = PLANS[range];
    const now = this.#now();
    const end = Math.min(now - (now % stepMs) + stepMs, Math.floor(wholeUntil / stepMs) * stepMs || now);
    const slots = ms / stepMs;
    const start = end - ms;
    const sums = new Map<string, Record<string, (number | null)[]>>();
    for (const part of parts) {
      const { series } = part;
      const own = sums.get(part.key) ?? {};
      sums.set(part.key, own);
      for (const measure of MEASURES) {
        const values = valuesOf(series, measure);
        if (!values) continue;
        own[measure] ??= Array.from({ length: slots }, () => null);
        const from = (part.start - start) / stepMs;
        addAveraged(own[measure], { values, from, perStep: stepMs / grain.slotMs, told: part.told });
      }
    }
    const isKnown = (values: readonly (number | null)[]) => values.some((value) => value !== null);
    const all = [...sums].map(([name, own]) => {
      const known = Object.entries(own).filter(([, values]) => isKnown(values));
      return [
        name,
        Object.fromEntries(known.map(([measure, values]) => [measure, values.map(roundedOrNull)])),
      ] as const;
    });
    return { start, stepMs, series: Object.fromEntries(all.filter(([, own]) => Object.keys(own).length > 0)) };
  }
}

const roundedOrNull = (value: number | null) => (value === null ? null : rounded(value));

/** What has requests at times has none at others, of which nothing is told. */
function* partsOf(node: string, start: number, chunk: SeriesByKey): Iterable<Part> {
  for (const [key, series] of Object.entries(chunk))
    yield { node, start, key, series, told: isAskedKey(key) ? chunk[NODE_SERIES]?.cpu : undefined };
}

type Source = { values: Values; from: number; perStep: number; told?: Values | undefined };

const isNumber = (value: number | null) => value !== null;

/**
 * To the sums of steps come the averages of what is known of each, over all slots that were `told`, where that is given. `from`
 * may be negative: what is before is left out.
 */
function addAveraged(sums: (number | null)[], { values, from, perStep, told = [] }: Source): void {
  for (let at = 0; at < values.length; at += perStep) {
    const step = Math.round(from + at / perStep);
    if (step < 0 || step >= sums.length) continue;
    const known = values.slice(at, at + perStep).filter(isNumber);
    if (known.length === 0) continue;
    const over = Math.max(known.length, told.slice(at, at + perStep).filter(isNumber).length);
    sums[step] = (sums[step] ?? 0) + known.reduce((sum, value) => sum + value, 0) / over;
  }
}

/** Those with the most memory, and the rest as one. */
function greatest(all: SeriesByKey, namespace: string): SeriesByKey {
  const entries = Object.entries(all);
  if (entries.length <= MAX_TOLD) return all;
  const weight = ({ memory = [] }: Series) => memory.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const others = othersIn(namespace);
  const ordered = entries.filter(([key]) => key !== others).toSorted(([, a], [, b]) => weight(b) - weight(a));
  const rest = [...ordered.slice(MAX_TOLD - 1).map(([, own]) => own), ...(all[others] ? [all[others]] : [])];
  const folded: Record<string, (number | null)[]> = {};
  for (const own of rest)
    for (const measure of MEASURES) {
      const values = own[measure];
      if (!values) continue;
      folded[measure] ??= values.map(() => null);
      addAveraged(folded[measure], { values, from: 0, perStep: 1 });
    }
  return Object.fromEntries([...ordered.slice(0, MAX_TOLD - 1), [others, folded]]);
}
