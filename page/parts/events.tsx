import type { Event } from "../api/objects.ts";
import { useObjects } from "../state/cluster.ts";
import { Age, Badge, Rows } from "./parts.tsx";

const timeOf = (event: Event) =>
  event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp;

/** What was told of one object, newest first. */
export function Events({ namespace, kind, name }: { namespace: string; kind: string; name: string }) {
  const selector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const events = useObjects<Event>(path, `fieldSelector=${encodeURIComponent(selector)}`);
  const newestFirst = events.toSorted((a, b) => timeOf(b).localeCompare(timeOf(a)));
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      {events.length === 0 && <p class="hint">None of the last hour.</p>}
      {events.length > 0 && (
        <Rows heads={["Age", "Reason", "Message", "Count"]}>
          {newestFirst.map((event) => (
            <tr key={event.metadata.uid}>
              <td>
                <Age of={timeOf(event)} />
              </td>
              <td>
                <Badge mood={event.type === "Warning" ? "bad" : "good"}>{event.reason}</Badge>
              </td>
              <td class="wrap">{event.message}</td>
              <td>{event.count ?? 1}</td>
            </tr>
          ))}
        </Rows>
      )}
    </section>
  );
}
