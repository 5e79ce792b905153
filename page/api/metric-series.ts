import type { Measure, Range, Series, ToldSeries, Values } from "../../worker/lib/facts/metric-series.ts";
import { RANGES } from "../../worker/lib/facts/metric-series.ts";
import type { Client } from "./client.ts";
import { partOf } from "./discovery.ts";

export type { Measure, Range, Series, ToldSeries, Values };
export { RANGES };

/** Whose figures: of nodes, or of one workload, as `KIND/NAME`; or the requests of a Service or route, as `RESOURCE/NAME`. */
export type Subject =
  | { nodes: true }
  | { namespace: string; workload: string }
  | { namespace: string; requests: string };

export function askSeries(client: Client, of: Subject, range: Range, signal: AbortSignal): Promise<ToldSeries> {
  return client.json<ToldSeries>(`/skerry/metrics/${placeOf(of)}&range=${range}`, { signal });
}

function placeOf(of: Subject): string {
  if ("nodes" in of) return "nodes?";
  const { namespace, ...which } = of;
  return `namespaces/${partOf(namespace)}?${new URLSearchParams(which)}`;
}
