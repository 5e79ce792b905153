/** Figures over time, as nodes send them and as they are told of: additive ones, so that those of several nodes are one. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/**
 * `cpu` in thousandths of a processor, `memory` in bytes, `received` and `sent` in bytes a second.
 */
export const MEASURES = ["cpu", "memory", "received", "sent"] as const;
export type Measure = (typeof MEASURES)[number];

/** A number a slot, of which each is as long as the next; null where nothing is known. */
export type Values = readonly (number | null)[];
export type Series = Readonly<Partial<Record<Measure, Values>>>;
/** By what they are of: `NODE_SERIES`, or `NAMESPACE/KIND/NAME` of a workload, or `NAMESPACE/others`. */
export type SeriesByKey = Readonly<Record<string, Series>>;

/** A node's own. */
export const NODE_SERIES = "node";
/** Those of a namespace that are too many to be told of one by one. */
export const othersIn = (namespace: string): string => `${namespace}/others`;
export const namespaceOf = (key: string): string => key.split("/")[0] ?? "";

/** What a node sends: slots of a minute, the first of which begins at `start`, in ms since the epoch. */
export type SentSeries = { start: number; series: SeriesByKey };

/** Which of a node's pods is part of which series. `everyMs` is how often it is to send. */
export type SeriesGrant = { grant: string; pods: Readonly<Record<string, string>>; everyMs: number };

/** Where a node asks for it. */
export const SERIES_GRANT = "/skerry/metrics/grant";

/** How far back is asked. */
export const RANGES = ["1h", "6h", "1d", "7d", "30d"] as const;
export type Range = (typeof RANGES)[number];
export const isRange = (text: string): text is Range => RANGES.includes(text as Range);

/** What is answered: slots of `stepMs` from `start` on, ms since the epoch. Of nodes, by their names. */
export type ToldSeries = { start: number; stepMs: number; series: SeriesByKey };
