/** `kubectl logs`: text as binary messages, then a close. */
import { isTrue } from "../../worker/lib/query.ts";
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
  socket.on("close", () => gone.abort());
  const running = () => {
    const now = deps.pods.find(request.namespace, request.pod, request.uid, request.container);
    return !previous && now?.containerId === container.containerId && now.running;
  };
  const options = logOptions(query, deps.effects.now());
  for await (const bytes of readLog(path, options, { running, timers: deps.effects, signal: gone.signal })) {
    await sendWithin(socket, bytes);
  }
  await closeInOrder(socket);
}
