/** The data of volumes: the Cluster object says whose node has it, and it goes through that node's Relay. */
import type { StreamGrant } from "../api/http/streams.ts";
import { GRANT_HEADER, INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { exchange, forwarded } from "./proxy.ts";
import { dialRelay, type Relays } from "./relay-socket.ts";

export const isVolumeData = (path: string): boolean => /^\/skerry\/volumes\/[^/]+\/[^/]+$/.test(path);

export async function openVolumeData(
  request: Request,
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  for (const name of ["content-length", "transfer-encoding"]) headers.delete(name);
  headers.set(INTERNAL_HEADER, "stream");
  const answer = await cluster.fetch(new Request(request.url, { method: request.method, headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  const socket = await dialRelay(relays, clusterName, (await answer.json()) as StreamGrant);
  const ask = { method: request.method, path: pathname + search, headers: forwarded(request.headers), prefix: "" };
  const isEmpty = request.headers.get("content-length") === "0";
  return exchange(socket, ask, isEmpty ? null : request.body);
}
