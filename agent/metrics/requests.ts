/** What was counted of requests, as figures of a minute: a second, by series. */
import { addHistograms } from "../../worker/lib/facts/latency.ts";
import { REQUEST_MEASURES, type RequestFigures } from "../../worker/lib/facts/metric-series.ts";
import type { Answers, Taken } from "../ingress/counts.ts";

/** What was counted longer ago is of no minute: nobody took it while no agent ran. */
const OLDEST_MS = 5 * 60_000;
const SECOND_MS = 1000;

const [, , ...CLASSES] = REQUEST_MEASURES;

/** Of several that counted in the same time, of which the longest is the whole. Classes that no answer fell into are left out. */
export function requestsIn(taken: readonly Taken[]): Map<string, RequestFigures> {
  const recent = taken.filter(({ ms }) => ms <= OLDEST_MS);
  const ms = Math.max(1, ...recent.map((one) => one.ms));
  const sums = new Map<string, Answers>();
  for (const [key, { failed, took }] of recent.flatMap(({ answers }) => Object.entries(answers))) {
    const sum = sums.get(key);
    sums.set(key, { failed: failed + (sum?.failed ?? 0), took: addHistograms(took, sum?.took ?? []) });
  }
  return new Map([...sums].map(([key, sum]) => [key, figuresOf(sum, ms)]));
}

function figuresOf({ failed, took }: Answers, ms: number): RequestFigures {
  const perSecond = (count: number) => (count * SECOND_MS) / ms;
  const classes = CLASSES.flatMap((measure, i) => (took[i] ? [[measure, perSecond(took[i])] as const] : []));
  const requests = took.reduce((sum, count) => sum + count, 0);
  return { requests: perSecond(requests), failed: perSecond(failed), ...Object.fromEntries(classes) };
}
