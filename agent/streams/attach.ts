/** `kubectl attach`: the output of a running container from now on, and its input where it has one. */
import { attachTo } from "../pods/keeping.ts";
import { Channel, Channels, exitStatus, readMessage } from "./channels.ts";
import { readLog } from "./logs.ts";
import type { Served } from "./serve.ts";

export async function serveAttach(served: Served): Promise<void> {
  if (served.container.attachSocket) return serveKept(served, served.container.attachSocket);
  const { socket, request, container, deps } = served;
  const channels = new Channels(socket);
  const gone = new AbortController();
  socket.on("close", () => gone.abort());
  const running = () => {
    const now = deps.pods.find(request.namespace, request.pod, request.uid, request.container);
    return now?.containerId === container.containerId && now.running;
  };
  const follow = async (stream: "Stdout" | "Stderr", channel: number) => {
    const options = { follow: true, timestamps: false, tailLines: 0, stream };
    for await (const text of readLog(container.logPath, options, {
      running,
      timers: deps.effects,
      signal: gone.signal,
    }))
      await channels.send(channel, Buffer.from(text));
  };
  await Promise.all([follow("Stdout", Channel.stdout), follow("Stderr", Channel.stderr)]);
  await channels.finish(exitStatus(0));
}

/** A container with stdin has a keeper, which also has what it printed since its last line ended. */
async function serveKept({ socket, request, container }: Served, keeper: string): Promise<void> {
  const channels = new Channels(socket);
  const takesInput = ["true", "1"].includes(new URLSearchParams(request.query).get("stdin") ?? "");
  const attaching = attachTo(keeper, (stream, data) => {
    void channels.send(stream === "stderr" && !container.tty ? Channel.stderr : Channel.stdout, data);
  });
  // Input that comes before the keeper has answered waits in order.
  socket.on("message", async (data: Buffer) => {
    const attached = await attaching.catch(() => undefined);
    const message = readMessage(data);
    if (!attached) return;
    if (message?.type === "resize") attached.resize(message);
    else if (message?.type === "stdin" && takesInput) attached.write(message.data);
    else if (message?.type === "end" && takesInput) attached.end();
  });
  const attached = await attaching;
  socket.on("close", () => attached.close());
  await attached.closed;
  await channels.finish(exitStatus(0));
}
