/** The client's side of a granted stream. */
import type { StreamGrant } from "../api/http/streams.ts";
import { ApiError } from "../lib/status.ts";

export type Relays = DurableObjectNamespace;

/** The answer of the node's Relay: an open socket to what the grant names. */
export function askRelay(relays: Relays, clusterName: string, { node, stream }: StreamGrant): Promise<Response> {
  const relay = relays.get(relays.idFromName(`${clusterName}/${node}`));
  const headers = new Headers({ upgrade: "websocket" });
  if ("subprotocol" in stream && stream.subprotocol) headers.set("sec-websocket-protocol", stream.subprotocol);
  return relay.fetch(`https://relay/client/${stream.id}`, { headers });
}

export async function dialRelay(relays: Relays, clusterName: string, grant: StreamGrant): Promise<WebSocket> {
  const { webSocket, status } = await askRelay(relays, clusterName, grant);
  if (!webSocket) throw new ApiError(503, "ServiceUnavailable", `the node's relay did not answer: ${status}`);
  return webSocket;
}
