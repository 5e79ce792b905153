/** Figures over time, as nodes send them and as they are told of: additive ones, so that those of several nodes are one. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** Of nodes and workloads: `cpu` in thousandths of a processor, `memory` in bytes, `received` and `sent` in bytes a second. */
export const USAGE_MEASURES = ["cpu", "memory", "received", "sent"] as const;
/** Of what is asked for by HTTP, each a second: requests that had an answer or failed; those that failed; and, by classes of `latency.ts`, all. */
const TOOK = [
  "took0",
  "took1",
  "took2",
  "took3",
  "took4",
  "took5",
  "took6",
  "took7",
  "took8",
  "took9",
  "took10",
  "took11",
] as const;
export const REQUEST_MEASURES = ["requests", "failed", ...TOOK] as const;
export const MEASURES = [...USAGE_MEASURES, ...REQUEST_MEASURES] as const;
export type Measure = (typeof MEASURES)[number];
type RequestMeasure = (typeof REQUEST_MEASURES)[number];

/** A number a slot, of which each is as long as the next; null where nothing is known. */
export type Values = readonly (number | null)[];
export type Series = Readonly<Partial<Record<Measure, Values>>>;
/**
 * By what they are of: `NODE_SERIES`, or `NAMESPACE/KIND/NAME` of a workload, or `NAMESPACE/others`; and of requests
 * `NAMESPACE/RESOURCE/NAME`, as `ASKED` has them.
 */
export type SeriesByKey = Readonly<Record<string, Series>>;

/** What requests are told of, as `custom.metrics.k8s.io` calls it, by the word for it in a series' key. */
export const ASKED = {
  services: "services",
  ingresses: "ingresses.networking.k8s.io",
  httproutes: "httproutes.gateway.networking.k8s.io",
} as const;
export type AskedGroup = keyof typeof ASKED;
/** Those with the most requests are told of, and of the others nothing: each request is told of by its Service and its route. */
export const MAX_ASKED_SENT = 60;

const ASKED_KEY = /^[-a-z0-9]{1,63}\/(services|ingresses|httproutes)\/[-.a-z0-9]{1,253}$/;
export const isAskedKey = (key: string): boolean => ASKED_KEY.test(key);
/** `of` is `NAMESPACE/NAME`. */
export const askedKey = (group: AskedGroup, of: string): string => of.replace("/", `/${group}/`);

/** A class of which nothing is told where requests are had none. */
export const valuesOf = (series: Series, measure: Measure): Values | undefined =>
  measure === "requests" || !isOfRequests(measure)
    ? series[measure]
    : series.requests?.map((requests, slot) => (requests === null ? null : (series[measure]?.[slot] ?? 0)));

const OF_REQUESTS: ReadonlySet<string> = new Set(REQUEST_MEASURES);
export const isOfRequests = (measure: string): measure is RequestMeasure => OF_REQUESTS.has(measure);

export type RequestFigures = Partial<Record<RequestMeasure, number>>;

/** A node's own. */
export const NODE_SERIES = "node";
/** Those of a namespace that are too many to be told of one by one. */
export const othersIn = (namespace: string): string => `${namespace}/others`;
export const namespaceOf = (key: string): string => key.split("/")[0] ?? "";

/** What a node sends: slots of a minute, the first of which begins at `start`, in ms since the epoch. */
export type SentSeries = { start: number; series: SeriesByKey };

/**
 * Which of a node's pods is part of which series. `everyMs` is how often it is to send. `requests` says that it may tell of
 * them: older control planes refuse all that they come with.
 */
export type SeriesGrant = {
  grant: string;
  pods: Readonly<Record<string, string>>;
  everyMs: number;
  requests?: boolean;
};

/** Where a node asks for it. */
export const SERIES_GRANT = "/skerry/metrics/grant";

/** How far back is asked. */
export const RANGES = ["1h", "6h", "1d", "7d", "30d"] as const;
export type Range = (typeof RANGES)[number];
export const isRange = (text: string): text is Range => RANGES.includes(text as Range);

/** What is answered: slots of `stepMs` from `start` on, ms since the epoch. Of nodes, by their names. */
export type ToldSeries = { start: number; stepMs: number; series: SeriesByKey };
