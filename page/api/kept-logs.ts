/** Logs that stay, also of pods that are gone: `/skerry/logs`. */
import type { Client } from "./client.ts";

/** What is kept of a container's attempt. Times are RFC 3339. */
export type KeptLog = {
  namespace: string;
  pod: string;
  uid: string;
  container: string;
  attempt: number;
  first: string;
  last: string;
  bytes: number;
};

/** A page shows the end of a long log. */
const MOST_LINES = 1000;

/** Of a namespace, or of all there are for ""; the newest first. Throws a StatusError. */
export async function keptLogs(client: Client, namespace: string): Promise<KeptLog[]> {
  const list = async <T>(path: string) => (await client.json<{ items: T[] }>(`/skerry/logs${path}`)).items;
  const namespaces = namespace ? [{ namespace }] : await list<{ namespace: string }>("");
  const found: KeptLog[] = [];
  for (const { namespace: name } of namespaces)
    for (const log of await list<Omit<KeptLog, "namespace">>(`/${encodeURIComponent(name)}`))
      found.push({ ...log, namespace: name });
  return found.toSorted((a, b) => b.last.localeCompare(a.last));
}

/** The last lines of all attempts of a pod's container. Throws a StatusError. */
export async function keptText(
  client: Client,
  { namespace, pod, uid, container }: Omit<KeptLog, "attempt" | "first" | "last" | "bytes">,
) {
  const query = new URLSearchParams({ uid, container, tailLines: `${MOST_LINES}` });
  const path = `/skerry/logs/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}?${query}`;
  return (await client.fetch(path, { accept: "text/plain" })).text();
}
