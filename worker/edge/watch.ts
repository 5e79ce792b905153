/**
 * A client's watch ends here: the Worker keeps the HTTP answer open and reads the events from the Cluster object over a
 * WebSocket that hibernates, so that an idle watch does not keep the object awake.
 */
import { offeredProtocols } from "../api/http/streams.ts";
import { effects } from "../effects.ts";
import { DEADLINE_HEADER, INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { PROTOCOL_TOKEN } from "../lib/websocket.ts";
import { socketBody } from "./socket-body.ts";

/** One invocation's work stays bounded; clients resume. */
const MAX_WATCH_BYTES = 64 * 1024 * 1024;
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** Answers with the events, or with whatever error the Cluster gave instead of a socket. */
export async function openWatch(request: Request, cluster: Fetcher): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("upgrade", "websocket");
  headers.set(INTERNAL_HEADER, "watch");
  const answer = await cluster.fetch(new Request(request.url, { method: "GET", headers }));
  const socket = answer.webSocket;
  if (!socket) return answer;
  const untilDeadline = Number(answer.headers.get(DEADLINE_HEADER)) - effects.now();
  if (request.headers.get("upgrade")) return asMessages(request, answer.headers, socket, untilDeadline);
  const { body, close } = socketBody(socket, { bytes: MAX_WATCH_BYTES, bufferedBytes: MAX_BUFFERED_BYTES });
  effects.after(untilDeadline, () => close("deadline"));
  const answerHeaders = new Headers(answer.headers);
  for (const name of ["upgrade", "connection", "sec-websocket-accept", DEADLINE_HEADER]) answerHeaders.delete(name);
  return new Response(body, { status: 200, headers: answerHeaders });
}

/** Browsers watch by WebSocket: each event is a message. Of subprotocols there is none but the first that the client says. */
function asMessages(request: Request, answered: Headers, events: WebSocket, untilDeadline: number): Response {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  const close = () => {
    for (const socket of [events, ours]) socket.close(1000);
  };
  const isText = answered.get("content-type")?.startsWith("application/json");
  const decoder = new TextDecoder();
  let rest = "";
  let sent = 0;
  events.binaryType = "arraybuffer";
  events.addEventListener("message", ({ data }) => {
    sent += typeof data === "string" ? data.length : data.byteLength;
    if (sent > MAX_WATCH_BYTES) return close();
    if (!isText) return ours.send(data);
    const lines = (rest + (typeof data === "string" ? data : decoder.decode(data, { stream: true }))).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) ours.send(line);
  });
  for (const socket of [events, ours]) {
    socket.addEventListener("close", close);
    socket.addEventListener("error", close);
    socket.accept();
  }
  effects.after(untilDeadline, close);
  const protocol = offeredProtocols(request.headers).find((offered) => !offered.startsWith(PROTOCOL_TOKEN));
  return new Response(null, {
    status: 101,
    webSocket: theirs,
    headers: protocol ? { "sec-websocket-protocol": protocol } : {},
  });
}
