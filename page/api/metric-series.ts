import type { Measure, Range, Series, ToldSeries, Values } from "../../worker/lib/facts/metric-series.ts";
import { RANGES } from "../../worker/lib/facts/metric-series.ts";
import type { Client } from "./client.ts";
import { partOf } from "./discovery.ts";

export type { Measure, Range, Series, ToldSeries, Values };
export { RANGES };

/** Whose figures: of nodes, or of one workload. */
export type Subject = { nodes: true } | { namespace: string; workload: string };

export function askSeries(client: Client, of: Subject, range: Range, signal: AbortSignal): Promise<ToldSeries> {
  const path =
    "nodes" in of
      ? `nodes?range=${range}`
      : `namespaces/${partOf(of.namespace)}?range=${range}&workload=${encodeURIComponent(of.workload)}`;
  return client.json<ToldSeries>(`/skerry/metrics/${path}`, { signal });
}
