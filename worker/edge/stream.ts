/**
 * Exec, attach, port-forward and logs: the Cluster object authorizes and names the node; the bytes then go through that
 * node's Relay and never through the Cluster.
 */

import type { StreamRequest } from "../protocol/link.ts";

/** What the Cluster grants: the node whose Relay to use, and what its agent was asked to serve. */
export type StreamGrant = { node: string; stream: StreamRequest };

const STREAM_PATH = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/(exec|attach|portforward|log)$/;

/** An exec that asks for no WebSocket is left to the API, which refuses it in words that say what is wrong with it. */
export function isStream(request: Request, path: string): boolean {
  if (!STREAM_PATH.test(path) || request.method === "HEAD") return false;
  return path.endsWith("/log")
    ? request.method === "GET"
    : request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

export async function openStream(
  request: Request,
  clusterName: string,
  cluster: Fetcher,
  relays: DurableObjectNamespace,
): Promise<Response> {
  const isLog = new URL(request.url).pathname.endsWith("/log");
  const headers = new Headers(request.headers);
  headers.delete("upgrade");
  headers.delete("connection");
  headers.set("x-skerry-internal", "stream");
  const answer = await cluster.fetch(new Request(request.url, { method: "GET", headers }));
  if (answer.headers.get("x-skerry-grant") === null) return answer;
  const grant = (await answer.json()) as StreamGrant;
  const relay = relays.get(relays.idFromName(`${clusterName}/${grant.node}`));
  const dial = new Headers({ upgrade: "websocket" });
  if (grant.stream.subprotocol) dial.set("sec-websocket-protocol", grant.stream.subprotocol);
  const joined = await relay.fetch(`https://relay/client/${grant.stream.id}`, { headers: dial });
  return isLog && joined.webSocket ? logAnswer(joined.webSocket) : joined;
}

/** A log is a plain HTTP answer: the Relay's binary messages, one after another. */
function logAnswer(socket: WebSocket): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const end = () => {
        try {
          controller.close();
        } catch {
          // already closed or cancelled by the client
        }
      };
      socket.binaryType = "arraybuffer";
      socket.addEventListener("message", (event) => {
        const chunk =
          typeof event.data === "string" ? new TextEncoder().encode(event.data) : new Uint8Array(event.data);
        try {
          controller.enqueue(chunk);
        } catch {
          socket.close(1000, "client gone");
        }
      });
      socket.addEventListener("close", end);
      socket.addEventListener("error", end);
      socket.accept();
    },
    cancel() {
      socket.close(1000, "client gone");
    },
  });
  return new Response(body, { headers: { "content-type": "text/plain", "cache-control": "no-cache, private" } });
}
