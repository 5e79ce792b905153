/** What requests there are now, as the page asks for them. */
import type { AskedGroup } from "./metric-series.ts";

/**
 * Of the last half a minute: requests a second that have begun, those that failed (5xx, or no answer), and how many answers
 * began within which class of `latency.ts`; and those that have no whole answer yet.
 */
export type RequestsOf = { perSecond: number; pending: number; failedPerSecond?: number; took?: readonly number[] };

/** By `NAMESPACE/NAME`. What may not be seen is absent, and pods are where one namespace was asked for. */
export type RequestsNow = Partial<Record<AskedGroup | "pods", Readonly<Record<string, RequestsOf>>>> & {
  /** How many connected nodes did not tell, or not all. */
  silent: number;
  /** Which; told to who asks about all namespaces. */
  silentNodes?: readonly string[];
};

/** Of all namespaces; with `/namespaces/NAMESPACE` behind it of that one. */
export const REQUESTS_PATH = "/skerry/requests";
