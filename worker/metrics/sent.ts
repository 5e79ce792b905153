/** What a node has sent, as far as it can be true. */
import {
  HOUR_MS,
  isAskedKey,
  isOfRequests,
  MEASURES,
  MINUTE_MS,
  type SentSeries,
  type SeriesByKey,
  type Values,
} from "../lib/facts/metric-series.ts";
import { badRequest } from "../lib/status.ts";

/** As much as a node holds back while it cannot send goes in several pieces. */
const MAX_SLOTS = 120;
/** A node's clock is the cluster's, within this. */
const MAX_AHEAD_MS = 5 * MINUTE_MS;
/** What is older is not kept by the minute any more. */
const MAX_BEHIND_MS = 24 * HOUR_MS;
/** More than any machine has; what is added up stays a number that can be written. */
const MAX_VALUE = 1e18;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isValue = (value: unknown) => value === null || (typeof value === "number" && value >= 0 && value <= MAX_VALUE);

function valuesOf(given: unknown, what: string): Values {
  if (Array.isArray(given) && given.length > 0 && given.length <= MAX_SLOTS && given.every(isValue)) return given;
  throw badRequest(`${what} must be 1 to ${MAX_SLOTS} numbers or nulls`);
}

/**
 * Of requests any node tells, since it leads them to any pod. Throws the 400 for what is no series, of no time that is kept,
 * or of what the node may not tell of.
 */
export function sentSeries(body: unknown, mayTell: ReadonlySet<string>, now: number): SentSeries {
  const { start, series } = isObject(body) ? body : {};
  if (!Number.isSafeInteger(start) || Number(start) % MINUTE_MS !== 0) throw badRequest("start must be a whole minute");
  const first = Number(start);
  if (!isObject(series)) throw badRequest("series must be an object");
  let slots = 0;
  const told: [string, SeriesByKey[string]][] = [];
  for (const [key, measures] of Object.entries(series)) {
    const what = `series[${JSON.stringify(key.slice(0, 300))}]`;
    const isAsked = isAskedKey(key);
    if (!isAsked && !mayTell.has(key)) throw badRequest(`${what} is not of this node`);
    if (!isObject(measures)) throw badRequest(`${what} must be an object`);
    const own = Object.entries(measures).map(([measure, given]) => {
      if (!(MEASURES as readonly string[]).includes(measure) || isOfRequests(measure) !== isAsked)
        throw badRequest(`${what} has an unknown measure`);
      const values = valuesOf(given, `${what}.${measure}`);
      slots = Math.max(slots, values.length);
      return [measure, values] as const;
    });
    told.push([key, Object.fromEntries(own)]);
  }
  if (first + slots * MINUTE_MS > now + MAX_AHEAD_MS || first < now - MAX_BEHIND_MS)
    throw badRequest("start is not within the last day");
  return { start: first, series: Object.fromEntries(told) };
}
