/** Logs that stay, also of pods that are gone: `/skerry/logs`. */
import type { KeptLog as Kept } from "../../worker/lib/facts/kept-log.ts";
import type { Client } from "./client.ts";

export type KeptLog = Kept & { namespace: string };

/** A page shows the end of a long log. */
const MOST_LINES = 1000;

/** Of a namespace, or of all there are for ""; the newest first. Throws a StatusError. */
export async function keptLogs(client: Client, namespace: string): Promise<KeptLog[]> {
  const list = async <T>(path: string) => (await client.json<{ items: T[] }>(`/skerry/logs${path}`)).items;
  const namespaces = namespace ? [{ namespace }] : await list<{ namespace: string }>("");
  const found: KeptLog[] = [];
  for (const { namespace: name } of namespaces)
    for (const log of await list<Kept>(`/${encodeURIComponent(name)}`)) found.push({ ...log, namespace: name });
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
