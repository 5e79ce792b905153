import { age } from "../../lib/duration.ts";
import type { CoreV1Event } from "../generated/types.ts";
import type { Column } from "../kind.ts";

/** `kubectl get events`: the same for both groups that serve events. */
const firstSeen = (event: CoreV1Event, now: number): string => age(event.firstTimestamp || event.eventTime, now);

function lastSeen(event: CoreV1Event, now: number): string {
  if (event.series) return age(event.series.lastObservedTime, now);
  return event.lastTimestamp ? age(event.lastTimestamp, now) : firstSeen(event, now);
}

function object({ involvedObject }: CoreV1Event): string {
  const kind = (involvedObject?.kind ?? "").toLowerCase();
  return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind;
}

function source(event: CoreV1Event): string {
  const component = event.source?.component || event.reportingComponent || "";
  const host = event.source?.host || event.reportingInstance;
  return host ? `${component}, ${host}` : component;
}

const columns: readonly Column<CoreV1Event>[] = [
  { name: "Last Seen", type: "string", value: lastSeen },
  { name: "Type", type: "string", value: ({ type }) => type ?? "" },
  { name: "Reason", type: "string", value: ({ reason }) => reason ?? "" },
  { name: "Object", type: "string", value: object },
  { name: "Subobject", type: "string", priority: 1, value: ({ involvedObject }) => involvedObject?.fieldPath ?? "" },
  { name: "Source", type: "string", priority: 1, value: source },
  { name: "Message", type: "string", value: ({ message }) => (message ?? "").trim() },
  { name: "First Seen", type: "string", priority: 1, value: firstSeen },
  { name: "Count", type: "string", priority: 1, value: ({ series, count }) => series?.count ?? (count || 1) },
  { name: "Name", type: "string", format: "name", priority: 1, value: ({ metadata }) => metadata?.name ?? "" },
];

/** Columns of a kind whose objects `read` turns into core events. */
export const eventColumns = <T>(read: (object: T) => CoreV1Event): readonly Column<T>[] =>
  columns.map((column) => ({ ...column, value: (object: T, now: number) => column.value(read(object), now) }));
