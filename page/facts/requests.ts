/** Requests in words and as lines: how many, how many failed, and how long answers took until they began. */
import type { Series, Values } from "../api/metric-series.ts";
import { type Histogram, latencyQuantile, type RequestsNow, type RequestsOf } from "../api/requests.ts";

const NONE: RequestsOf = { perSecond: 0, pending: 0 };

/** Of whom nothing was asked nobody tells; undefined where who looks may not know. */
export const requestsOf = (
  now: RequestsNow,
  group: Exclude<keyof RequestsNow, "silent" | "silentNodes">,
  key: string,
) => now[group] && (now[group][key] ?? NONE);

export const rateWords = ({ perSecond, pending }: RequestsOf): string =>
  `${perSecond.toFixed(1)}${pending ? `, ${pending} waiting` : ""}`;

/** Rates are over so many seconds. */
const WINDOW_S = 30;

/** Of those that had an answer; nothing where there were none. */
export function failedWords({ failedPerSecond = 0, took = [] }: RequestsOf): string {
  const answers = took.reduce((sum, count) => sum + count, 0);
  if (answers === 0) return "";
  const percent = (100 * failedPerSecond * WINDOW_S) / answers;
  return `${percent > 0 && percent < 1 ? "<1" : Math.round(percent)} %`;
}

/** What they were made from tells no more. */
const inMs = (ms: number): string => (ms < 1000 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Within how long half of the answers began, and 99 of 100; nothing where there were none. */
export function latencyWords({ took = [] }: RequestsOf): string {
  const [half, most] = [latencyQuantile(took, 0.5), latencyQuantile(took, 0.99)];
  return half === undefined || most === undefined ? "" : `${inMs(half)}, ${inMs(most)}`;
}

const CLASS = /^took(\d+)$/;

/** Within how many ms that share of the answers began, slot by slot. */
export function latencyLine(series: Series, share: number): Values {
  const histograms: number[][] = [];
  for (const [measure, values] of Object.entries(series)) {
    const kind = CLASS.exec(measure)?.[1];
    if (kind === undefined || !values) continue;
    for (const [slot, value] of values.entries()) {
      histograms[slot] ??= [];
      histograms[slot][Number(kind)] = value ?? 0;
    }
  }
  const filled = (histogram: Histogram | undefined) => Array.from(histogram ?? [], (count) => count ?? 0);
  return (series.requests ?? []).map((_, slot) => latencyQuantile(filled(histograms[slot]), share) ?? null);
}
