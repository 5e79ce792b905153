/**
 * A client's watch ends here: the Worker keeps the HTTP answer open and reads the events from the Cluster object over a
 * WebSocket that hibernates, so that an idle watch does not keep the object awake.
 */
import { effects } from "../effects.ts";
import { socketBody } from "./socket-body.ts";

/** One invocation's work stays bounded; clients resume. */
const MAX_WATCH_BYTES = 64 * 1024 * 1024;
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** Answers with the events, or with whatever error the Cluster gave instead of a socket. */
export async function openWatch(request: Request, cluster: Fetcher): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("upgrade", "websocket");
  headers.set("x-skerry-internal", "watch");
  const answer = await cluster.fetch(new Request(request.url, { method: "GET", headers }));
  const socket = answer.webSocket;
  if (!socket) return answer;
  const { body, close } = socketBody(socket, { bytes: MAX_WATCH_BYTES, bufferedBytes: MAX_BUFFERED_BYTES });
  effects.after(Number(answer.headers.get("x-skerry-deadline")) - effects.now(), () => close("deadline"));
  const answerHeaders = new Headers(answer.headers);
  for (const name of ["upgrade", "connection", "sec-websocket-accept", "x-skerry-deadline"]) answerHeaders.delete(name);
  return new Response(body, { status: 200, headers: answerHeaders });
}
