/** `kubectl logs`: text as binary messages, then a close. */
import { isTrue } from "../../worker/lib/query.ts";
import { type ProxyMessage, Window } from "../../worker/protocol/proxy.ts";
import { closeInOrder, sendWithin } from "./channels.ts";
import { logOptions, readLog } from "./logs.ts";
import type { Served } from "./served.ts";

export async function serveLog({ socket, request, container, deps }: Served): Promise<void> {
  const query = new URLSearchParams(request.query);
  const previous = isTrue(query.get("previous"));
  const path = previous ? container.previousLogPath : container.logPath;
  if (path === undefined)
    throw new Error(`previous terminated container "${request.container}" in pod "${request.pod}" not found`);
  const gone = new AbortController();
  // Where the answer is a body of HTTP, the Worker says what of it was taken. The first such message comes at once.
  const window = new Window();
  let isCounted = false;
  socket.on("message", (data: Buffer, isBinary) => {
    const message = isBinary ? undefined : (JSON.parse(data.toString()) as ProxyMessage);
    if (message?.type !== "read") return;
    isCounted = true;
    window.read(message.bytes);
  });
  socket.on("close", () => {
    gone.abort();
    window.open();
  });
  const running = () => {
    const now = deps.pods.find(request.namespace, request.pod, request.uid, request.container);
    return !previous && now?.containerId === container.containerId && now.running;
  };
  const options = logOptions(query, deps.effects.now());
  for await (const bytes of readLog(path, options, { running, timers: deps.effects, signal: gone.signal })) {
    await sendWithin(socket, bytes);
    const room = window.sent(bytes.length);
    if (isCounted) await room;
  }
  await closeInOrder(socket);
}
