import { useEffect, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { type KeptLog, keptLogs, keptText } from "../api/kept-logs.ts";
import { plain } from "../facts/log.ts";
import { Age, Rows } from "../parts/parts.tsx";
import { useClient } from "../state/cluster.ts";
import { href } from "../state/route.ts";
import { namespace } from "../state/session.ts";

type Asked<T> = { value?: T; error?: string };

/** What `ask` resolves with, anew where `key` is another. */
function useAsked<T>(key: string, ask: () => Promise<T>): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({});
  useEffect(() => {
    let isWanted = true;
    const tell = (told: Asked<T>) => {
      if (isWanted) setAsked(told);
    };
    setAsked({});
    ask().then(
      (value) => tell({ value }),
      (error: unknown) => tell({ error: errorText(error) }),
    );
    return () => {
      isWanted = false;
    };
  }, [key]);
  return asked;
}

const State = ({ of }: { of: Asked<unknown> }) =>
  of.error ? (
    <p class="notice bad" role="alert">
      {of.error}
    </p>
  ) : of.value === undefined ? (
    <p class="notice" role="status">
      Loading…
    </p>
  ) : null;

/** Logs that stay, of the namespace that is chosen. */
export function KeptLogs() {
  const client = useClient();
  const asked = useAsked(namespace.value, () => keptLogs(client, namespace.value));
  return (
    <>
      <h1>Kept logs</h1>
      <State of={asked} />
      {asked.value?.length === 0 && (
        <p class="hint">
          None yet: <code>kubectl annotate namespace NAME skerry.dev/keep-logs=7d</code> keeps what pods print from then
          on for seven days.
        </p>
      )}
      {asked.value && asked.value.length > 0 && <Table logs={asked.value} />}
    </>
  );
}

const Table = ({ logs }: { logs: readonly KeptLog[] }) => (
  <Rows heads={["Pod", "Namespace", "Container", "Attempt", "Last line", "Bytes"]}>
    {logs.map((log) => (
      <tr key={`${log.uid}/${log.container}/${log.attempt}`}>
        <th scope="row">
          <a href={href("kept", log.namespace, log.pod, log.uid, log.container)}>{log.pod}</a>
        </th>
        <td>{log.namespace}</td>
        <td>{log.container}</td>
        <td>{log.attempt}</td>
        <td>
          <Age of={log.last} />
        </td>
        <td>{log.bytes}</td>
      </tr>
    ))}
  </Rows>
);

type Of = { namespace: string; pod: string; uid: string; container: string };

/** The end of what is kept of one container. */
export function KeptLogView(of: Of) {
  const client = useClient();
  const asked = useAsked(JSON.stringify(of), () => keptText(client, of));
  const lines = (asked.value ?? "").split("\n").map(plain).join("\n");
  return (
    <>
      <h1>
        {of.pod} <small>{`kept log of ${of.container} in ${of.namespace}`}</small>
      </h1>
      <State of={asked} />
      {asked.value !== undefined && (
        <pre
          class="log"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys too
          tabIndex={0}
        >
          {lines}
        </pre>
      )}
    </>
  );
}
