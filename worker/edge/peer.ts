/**
 * Nodes that share no network: one's agent asks to be joined to the other's at that one's Relay. The Cluster object asks the
 * other agent to come; bytes do not pass through it.
 */
import type { StreamGrant } from "../api/http/streams.ts";
import { GRANT_HEADER, INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { askRelay, type Relays } from "./relay-socket.ts";

/** `/relay/NODE/peers/OTHER`, as they stand in the URL. */
export function peersOf(path: string): { node: string; other: string } | undefined {
  const [, node, other] = /^\/relay\/([^/]+)\/peers\/([^/]+)$/.exec(path) ?? [];
  return node && other ? { node, other } : undefined;
}

/** The answer to a node that is known to be `node`. */
export async function openPeer(
  { node, other }: { node: string; other: string },
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
): Promise<Response> {
  const headers = { [INTERNAL_HEADER]: "peer" };
  const answer = await cluster.fetch(new Request(`https://cluster/${node}/${other}`, { headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  return askRelay(relays, clusterName, (await answer.json()) as StreamGrant);
}
