/**
 * Exec, attach, port-forward and logs: the Cluster object authorizes and names the node; the bytes then go through that
 * node's Relay and never through the Cluster.
 */
import { notUpgraded, type StreamGrant } from "../api/http/streams.ts";
import { GRANT_HEADER, INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { asksForSocket } from "../lib/websocket.ts";
import type { ProxyMessage } from "../protocol/proxy.ts";
import { askRelay, type Relays } from "./relay-socket.ts";
import { socketBody } from "./socket-body.ts";

const STREAM_PATH = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/(exec|attach|portforward|log)$/;

export function isStream(request: Request, path: string): boolean {
  return STREAM_PATH.test(path) && (request.method === "GET" || (request.method === "POST" && !path.endsWith("/log")));
}

export async function openStream(
  request: Request,
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
): Promise<Response> {
  const isLog = new URL(request.url).pathname.endsWith("/log");
  const headers = new Headers(request.headers);
  headers.delete("upgrade");
  headers.delete("connection");
  const isSocket = asksForSocket(request);
  const isServed = isLog || isSocket;
  headers.set(INTERNAL_HEADER, isServed ? "stream" : "stream-check");
  // Whoever asks for SPDY may have come back after a refusal over WebSocket. It is asked as a WebSocket would be, so
  // that what else is wrong is told first.
  if (!isServed) headers.set("sec-websocket-protocol", "v5.channel.k8s.io, SPDY/3.1+portforward.k8s.io");
  const answer = await cluster.fetch(new Request(request.url, { method: "GET", headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  if (!isServed) return Response.json(notUpgraded(request.headers).status(), { status: 400 });
  const grant = (await answer.json()) as StreamGrant;
  const joined = await askRelay(relays, clusterName, grant);
  return joined.webSocket && !isSocket ? logAnswer(joined.webSocket) : joined;
}

/** A log is a plain HTTP answer: the Relay's binary messages, one after another. The agent is told what was taken. */
function logAnswer(socket: WebSocket): Response {
  const taken = (bytes: number) => {
    const message: ProxyMessage = { type: "read", bytes };
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const { body } = socketBody(socket);
  taken(0); // from the first on, the agent waits for them
  const counted = new TransformStream<Uint8Array, Uint8Array>(
    {
      transform(chunk, controller) {
        controller.enqueue(chunk);
        taken(chunk.byteLength);
      },
    },
    undefined,
    { highWaterMark: 0 },
  );
  return new Response(body.pipeThrough(counted), {
    headers: { "content-type": "text/plain", "cache-control": "no-cache, private" },
  });
}
