/** `kubectl attach`: the output of a running container from now on. */
import { Channel, Channels, exitStatus } from "./channels.ts";
import { readLog } from "./logs.ts";
import type { Served } from "./serve.ts";

export async function serveAttach({ socket, request, container, deps }: Served): Promise<void> {
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
