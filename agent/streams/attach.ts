/** `kubectl attach`: what a running container prints from now on, and its input. */
import { attachTo } from "../pods/attached.ts";
import { Channel, Channels, exitStatus, failureStatus, readMessage, waitForRoom } from "./channels.ts";
import { bytesOf, readEntries } from "./logs.ts";
import { flags, type Served } from "./served.ts";

export async function serveAttach(served: Served): Promise<void> {
  const { socket, request, container } = served;
  const channels = new Channels(socket, request.subprotocol);
  const isWhole = container.attachSocket
    ? await attachKept(served, container.attachSocket, channels)
    : await followLog(served, channels);
  await channels.finish(
    isWhole ? exitStatus(0) : failureStatus("the container's output could not be followed to its end"),
  );
}

/** Input is passed on, and output as it is printed, line or not. */
async function attachKept({ socket, request }: Served, keeper: string, channels: Channels): Promise<boolean> {
  const wants = flags(request.query);
  socket.pause(); // the first message, the terminal's size, is here before the keeper answers
  const attached = await attachTo(keeper, async (stream, data) => {
    if (wants(stream)) await channels.send(Channel[stream], data);
  });
  socket.on("message", (data: Buffer) => {
    const message = readMessage(data);
    if (message?.type === "resize") attached.resize(message);
    if (!wants("stdin")) return;
    if (message?.type === "stdin") waitForRoom(socket, attached.write(message.data));
    if (message?.type === "end") attached.end();
  });
  socket.resume();
  socket.on("close", () => attached.close());
  if (socket.readyState !== socket.OPEN) attached.close();
  return attached.closed;
}

/**
 * Of containers that an agent before this one started by `nerdctl run`, until they end: they have a logger of nerdctl's,
 * and so only a log, whose lines are there when they are complete. Input is for nobody then.
 */
async function followLog(served: Served, channels: Channels): Promise<boolean> {
  const { socket, request, container } = served;
  const gone = new AbortController();
  socket.on("close", () => gone.abort());
  const running = () => {
    const now = served.deps.pods.find(request.namespace, request.pod, request.uid, request.container);
    return now?.containerId === container.containerId && now.running;
  };
  const wants = flags(request.query);
  const options = { follow: true, tailLines: 0, stream: "All" } as const;
  const deps = { running, timers: served.deps.effects, signal: gone.signal };
  for await (const entries of readEntries(container.logPath, options, deps))
    for (const entry of entries) {
      const name = entry.stream === "stderr" ? "stderr" : "stdout";
      if (wants(name)) await channels.send(Channel[name], bytesOf(entry));
    }
  return true;
}
