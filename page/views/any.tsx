import { useEffect, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { discover, pathOf, type Resource } from "../api/discovery.ts";
import type { Table } from "../api/objects.ts";
import { Rows } from "../parts/parts.tsx";
import { useClient } from "../state/cluster.ts";
import { go, href } from "../state/route.ts";
import { namespace } from "../state/session.ts";

const AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** All kinds that are served, and the objects of the one that was chosen. */
export function AnyKind({ group, version, plural }: { group?: string; version?: string; plural?: string }) {
  const client = useClient();
  const [resources, setResources] = useState<readonly Resource[]>([]);
  const [error, setError] = useState("");
  useEffect(() => {
    discover(client).then(setResources, (why: unknown) => setError(errorText(why)));
  }, [client]);
  const chosen = resources.find((r) => r.group === group && r.version === version && r.plural === plural);
  return (
    <>
      <h1>Everything</h1>
      {error && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      <label class="inline">
        Kind
        <select
          value={chosen ? `${group}/${version}/${plural}` : ""}
          onChange={({ currentTarget }) => go("any", ...currentTarget.value.split("/"))}
        >
          <option value="">Choose one</option>
          {resources.map((each) => (
            <option key={`${each.plural}.${each.group}`} value={`${each.group}/${each.version}/${each.plural}`}>
              {each.group ? `${each.kind} (${each.group})` : each.kind}
            </option>
          ))}
        </select>
      </label>
      {chosen && <Objects key={`${chosen.group}/${chosen.plural}`} resource={chosen} />}
    </>
  );
}

/** The server's own columns, as kubectl shows them. */
function Objects({ resource }: { resource: Resource }) {
  const client = useClient();
  const [table, setTable] = useState<Table | undefined>();
  const [error, setError] = useState("");
  const { group, version, plural } = resource;
  const chosen = resource.namespaced ? namespace.value : "";
  useEffect(() => {
    setTable(undefined);
    setError("");
    const abort = new AbortController();
    client
      .json<Table>(`${pathOf({ group, version, plural, namespace: chosen })}?limit=500`, {
        accept: AS_TABLE,
        signal: abort.signal,
      })
      .then(setTable, (why: unknown) => {
        if (!abort.signal.aborted) setError(errorText(why));
      });
    return () => abort.abort();
  }, [client, group, version, plural, chosen]);
  if (error)
    return (
      <p class="bad" role="alert">
        {error}
      </p>
    );
  if (!table) return <p class="notice">Loading…</p>;
  const columns = table.columnDefinitions.map((column, at) => ({ ...column, at })).filter((c) => c.priority === 0);
  const rest = table.metadata.remainingItemCount;
  return (
    <>
      <Rows heads={[...(resource.namespaced ? ["Namespace"] : []), ...columns.map(({ name }) => name)]}>
        {(table.rows ?? []).map(({ cells, object: { metadata } }) => (
          <tr key={metadata.uid ?? metadata.name}>
            {resource.namespaced && <td>{metadata.namespace}</td>}
            {columns.map(({ name, at }) =>
              name === "Name" ? (
                <th scope="row" key={name}>
                  <a href={href("any", group, version, plural, metadata.namespace ?? "", metadata.name)}>
                    {metadata.name}
                  </a>
                </th>
              ) : (
                <td key={name}>{String(cells[at] ?? "")}</td>
              ),
            )}
          </tr>
        ))}
      </Rows>
      {rest !== undefined && rest > 0 && <p class="hint">{`${rest} more are not shown.`}</p>}
    </>
  );
}
