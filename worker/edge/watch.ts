/**
 * A client's watch ends here: the Worker keeps the HTTP answer open and reads the events from the Cluster object over a
 * WebSocket that hibernates, so that an idle watch does not keep the object awake.
 */

import { effects } from "../effects.ts";

/** Closes an answer cleanly after this many bytes, so that one invocation's work stays bounded; clients resume. */
const MAX_WATCH_BYTES = 64 * 1024 * 1024;
/** A client that is this far behind is dropped rather than buffered without end. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** Answers with the events, or with whatever error the Cluster gave instead of a socket. */
export async function openWatch(request: Request, cluster: Fetcher): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("upgrade", "websocket");
  headers.set("x-skerry-internal", "watch");
  const answer = await cluster.fetch(new Request(request.url, { method: "GET", headers }));
  const socket = answer.webSocket;
  if (!socket) return answer;
  const encoder = new TextEncoder();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          try {
            controller.close();
          } catch {
            // already closed or cancelled by the client
          }
        };
        socket.addEventListener("message", (event) => {
          const chunk = encoder.encode(event.data as string);
          sent += chunk.byteLength;
          try {
            controller.enqueue(chunk);
          } catch {
            return socket.close(1000, "client gone");
          }
          if (sent > MAX_WATCH_BYTES || (controller.desiredSize ?? 0) < 0) {
            socket.close(1000, "watch is bounded");
            end();
          }
        });
        socket.addEventListener("close", end);
        socket.addEventListener("error", end);
        socket.accept();
        effects.after(Number(answer.headers.get("x-skerry-deadline")) - effects.now(), () => {
          socket.close(1000, "deadline");
          end();
        });
      },
      cancel() {
        socket.close(1000, "client gone");
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_BUFFERED_BYTES }),
  );
  const answerHeaders = new Headers(answer.headers);
  for (const name of ["upgrade", "connection", "sec-websocket-accept", "x-skerry-deadline"]) answerHeaders.delete(name);
  return new Response(body, { status: 200, headers: answerHeaders });
}
