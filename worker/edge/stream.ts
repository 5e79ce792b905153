/**
 * Exec, attach, port-forward and logs: the Cluster object authorizes and names the node; the bytes then go through that
 * node's Relay and never through the Cluster.
 */
import { notUpgraded, type StreamGrant } from "../api/http/streams.ts";
import { GRANT_HEADER, INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { badRequest } from "../lib/status.ts";
import { asksForSocket } from "../lib/websocket.ts";
import { LOG_AS_BODY } from "../protocol/link.ts";
import type { ProxyMessage } from "../protocol/proxy.ts";
import { type KeptLogsParts, keptInstead, type LogQuestion } from "./kept-logs/kept-logs.ts";
import { askRelay, type Relays } from "./relay-socket.ts";

const HEADERS = {
  "content-type": "text/plain",
  "cache-control": "no-cache, private",
  "x-content-type-options": "nosniff", // a program's words are no page
};
const STREAM_PATH = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/(exec|attach|portforward|log)$/;

export function isStream(request: Request, path: string): boolean {
  return STREAM_PATH.test(path) && (request.method === "GET" || (request.method === "POST" && !path.endsWith("/log")));
}

export async function openStream(
  request: Request,
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
  kept: () => KeptLogsParts,
): Promise<Response> {
  const isLog = new URL(request.url).pathname.endsWith("/log");
  const headers = new Headers(request.headers);
  headers.delete("upgrade");
  headers.delete("connection");
  const isSocket = asksForSocket(request);
  const isServed = isLog || isSocket;
  headers.set(INTERNAL_HEADER, isServed ? "stream" : "stream-check");
  if (isLog && !isSocket) headers.set("sec-websocket-protocol", LOG_AS_BODY);
  // Whoever asks for SPDY may have come back after a refusal over WebSocket. It is asked as a WebSocket would be, so
  // that what else is wrong is told first.
  if (!isServed) headers.set("sec-websocket-protocol", "v5.channel.k8s.io, SPDY/3.1+portforward.k8s.io");
  const answer = await cluster.fetch(new Request(request.url, { method: "GET", headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  if (!answer.ok) return instead(request, answer, kept());
  if (!isServed) return Response.json(notUpgraded(request.headers).status(), { status: 400 });
  const grant = (await answer.json()) as StreamGrant;
  const joined = await askRelay(relays, clusterName, grant);
  return joined.webSocket && !isSocket ? logAnswer(joined.webSocket) : joined;
}

/** The node is away: what is kept of the log, where anything is, else the refusal. */
async function instead(request: Request, refusal: Response, kept: KeptLogsParts): Promise<Response> {
  const log = JSON.parse(refusal.headers.get(GRANT_HEADER) ?? "{}") as Omit<LogQuestion, "query">;
  const found = await keptInstead(kept, { ...log, query: new URL(request.url).searchParams });
  if (found) return found;
  const headers = new Headers(refusal.headers);
  headers.delete(GRANT_HEADER);
  return new Response(refusal.body, { status: refusal.status, headers });
}

/**
 * A log is a plain HTTP answer: the binary messages, one after another. Agents of before begin with them at once. The
 * agent is told what the client has taken, as nothing else would hold it back.
 */
export function logAnswer(socket: WebSocket): Promise<Response> {
  let log: ReadableStreamDefaultController<Uint8Array>;
  let untold = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        log = controller;
      },
      // There is no room for more than is asked for, so that all of before has been taken.
      pull() {
        const message: ProxyMessage = { type: "read", bytes: untold };
        if (untold > 0 && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
        untold = 0;
      },
      cancel: () => socket.close(1000, "client gone"),
    },
    { highWaterMark: 0 },
  );
  const answer = new Response(body, { headers: HEADERS });
  return new Promise((resolve) => {
    const begin = () => resolve(answer);
    const refuse = (message: string) => resolve(Response.json(badRequest(message).status(), { status: 400 }));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      const message = typeof data === "string" ? (JSON.parse(data) as ProxyMessage) : undefined;
      if (message?.type === "unreachable") return refuse(message.message);
      begin();
      if (typeof data === "string") return;
      untold += data.byteLength;
      log.enqueue(new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (code === 1000) begin();
      else refuse(reason || "the node did not answer");
      try {
        if (code === 1000) log.close();
        else log.error(new Error(reason || "the connection to the node was lost"));
      } catch {
        // cancelled by the client
      }
    });
    socket.accept();
  });
}
