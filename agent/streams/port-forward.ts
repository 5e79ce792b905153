/**
 * `kubectl port-forward`: SPDY/3.1 inside of a WebSocket. Each forwarded connection is two streams of one `requestid`:
 * one for an error's text, one for the data. https://kep.k8s.io/4006 Older clients have channels instead.
 */
import { pipeline } from "node:stream/promises";
import type { WebSocket } from "ws";
import { portsOf } from "../../worker/lib/query.ts";
import type { Timers } from "../effects.ts";
import { sendWithin } from "./channels.ts";
import { NamespaceDialer } from "./namespace.ts";
import { forwardChannels } from "./port-channels.ts";
import type { ServedPod } from "./served.ts";
import { Reset } from "./spdy/frames.ts";
import { SpdySession, type Transport } from "./spdy/session.ts";
import type { SpdyStream } from "./spdy/stream.ts";

/** How long the first stream of a connection waits for the second, ms. */
const PAIR_TIMEOUT_MS = 30_000;

/** What the client may still send after the program in the pod has ended its side, ms: as upstream. */
const LINGER_MS = 1_000;

type Pair = { error?: SpdyStream; data?: SpdyStream };

export async function servePortForward({ socket, request, deps }: ServedPod): Promise<void> {
  const sandbox = deps.pods.sandboxOf(request.namespace, request.pod, request.uid);
  if (!sandbox) throw new Error(`pod not found ("${request.pod}_${request.namespace}")`);
  const dialer = new NamespaceDialer(sandbox.network);
  const refusal = (port: number, cause: Error) =>
    `error forwarding port ${port} to pod ${sandbox.id}, uid : ${cause.message}`;
  if (request.subprotocol === "v4.channel.k8s.io")
    await forwardChannels(socket, portsOf(new URLSearchParams(request.query)), dialer, refusal);
  else {
    const forwarder = new Forwarder(dialer, refusal, deps.effects);
    const session = new SpdySession(transportOf(socket), (stream) => forwarder.accept(stream));
    socket.on("message", (bytes: Buffer) => session.receive(bytes));
    await new Promise<void>((resolve) => socket.once("close", resolve));
    session.close();
  }
  dialer.close();
}

const transportOf = (socket: WebSocket): Transport => ({
  send: (bytes) => sendWithin(socket, bytes),
  pause: () => socket.pause(),
  resume: () => socket.resume(),
  close: () => socket.close(1000),
});

class Forwarder {
  private readonly pairs = new Map<string, Pair>();
  private readonly dialer: NamespaceDialer;
  private readonly refusal: (port: number, cause: Error) => string;
  private readonly timers: Pick<Timers, "after">;

  constructor(dialer: NamespaceDialer, refusal: (port: number, cause: Error) => string, timers: Pick<Timers, "after">) {
    this.dialer = dialer;
    this.refusal = refusal;
    this.timers = timers;
  }

  accept(stream: SpdyStream): void {
    const type = stream.headers.get("streamtype");
    const id = stream.headers.get("requestid");
    const port = Number(stream.headers.get("port"));
    if ((type !== "error" && type !== "data") || !id || !Number.isInteger(port) || port < 1 || port > 65535)
      return stream.reset(Reset.refusedStream);
    const pair = this.pairs.get(id) ?? this.expect(id);
    if (pair[type]) return stream.reset(Reset.refusedStream);
    pair[type] = stream;
    const { error, data } = pair;
    if (!error || !data) return;
    this.pairs.delete(id);
    void this.forward(port, error, data);
  }

  private expect(id: string): Pair {
    const pair: Pair = {};
    this.pairs.set(id, pair);
    this.timers.after(PAIR_TIMEOUT_MS, () => {
      if (this.pairs.get(id) !== pair) return;
      this.pairs.delete(id);
      for (const stream of Object.values(pair)) stream.reset(Reset.cancel);
    });
    return pair;
  }

  /** The error stream ends last: the client waits for it when the data is over. */
  private async forward(port: number, error: SpdyStream, data: SpdyStream): Promise<void> {
    error.resume(); // the client sends nothing on it but its end
    try {
      const socket = await this.dialer.dial(port);
      socket.allowHalfOpen = true;
      // A connection that breaks is told by its end, as upstream: an error's text would end the client.
      const sent = pipeline(data, socket).catch(() => {});
      await pipeline(socket, data).catch(() => {});
      const late = this.timers.after(LINGER_MS, () => socket.destroy());
      await sent;
      late();
      socket.destroy();
      error.end();
    } catch (cause) {
      data.resume().end();
      error.end(this.refusal(port, cause as Error));
    }
  }
}
