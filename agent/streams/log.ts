/** `kubectl logs`: text as binary messages, then a close. */
import { isTrue } from "../../worker/lib/query.ts";
import { LOG_AS_BODY } from "../../worker/protocol/link.ts";
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
  const isBody = request.subprotocol === LOG_AS_BODY;
  const window = new Window();
  socket.on("message", (data: Buffer, isBinary) => {
    const message = isBinary || !isBody ? undefined : (JSON.parse(data.toString()) as ProxyMessage);
    if (message?.type === "read") window.read(message.bytes);
  });
  socket.on("close", () => {
    gone.abort();
    window.open();
  });
  const running = () => {
    const now = deps.pods.find(request.namespace, request.pod, request.uid, request.container);
    return !previous && now?.containerId === container.containerId && now.running;
  };
  const begun: ProxyMessage = { type: "response", status: 200, headers: [] };
  if (isBody) await sendWithin(socket, JSON.stringify(begun));
  const options = logOptions(query, deps.effects.now());
  for await (const bytes of readLog(path, options, { running, timers: deps.effects, signal: gone.signal })) {
    await sendWithin(socket, bytes);
    if (isBody) await window.sent(bytes.length);
  }
  await closeInOrder(socket);
}
