/** Serves what the control plane asks for on a socket to this node's Relay: one socket a stream. */
import { WebSocket } from "ws";
import type { Effects } from "../../worker/lib/effects.ts";
import type { StreamRequest } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { NodeIdentity } from "../local/join.ts";
import type { Nerdctl } from "../nerdctl.ts";
import type { FoundContainer, PodManager } from "../pods/manager.ts";
import { serveAttach } from "./attach.ts";
import { Channels, failureStatus } from "./channels.ts";
import { serveExec } from "./exec.ts";
import { serveLog } from "./log.ts";
import { servePortForward } from "./port-forward.ts";

export type StreamDeps = {
  identity: NodeIdentity;
  nerdctl: Nerdctl;
  pods: PodManager;
  effects: Effects & Timers;
  log(message: string): void;
};

/** One open stream, and the container that it is about. */
export type Served = { socket: WebSocket; request: StreamRequest; container: FoundContainer; deps: StreamDeps };

const SERVERS: Record<StreamRequest["kind"], (served: Served) => Promise<void>> = {
  exec: serveExec,
  attach: serveAttach,
  log: serveLog,
  portforward: servePortForward,
};

export async function serveStream(request: StreamRequest, deps: StreamDeps): Promise<void> {
  const { identity, log } = deps;
  const url = `${identity.server.replace(/^http/, "ws")}/relay/${encodeURIComponent(identity.node)}/${request.id}`;
  const protocols = request.subprotocol ? [request.subprotocol] : [];
  const headers = { authorization: `Bearer ${identity.token}` };
  const socket = new WebSocket(url, protocols, { headers, ca: identity.ca, handshakeTimeout: 10_000 });
  try {
    await opened(socket);
    const container = deps.pods.find(request.namespace, request.pod, request.uid, request.container);
    if (!container) throw new Error(`container ${request.container} not found in pod ${request.pod}`);
    await SERVERS[request.kind]({ socket, request, container, deps });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log(`${request.kind} of ${request.namespace}/${request.pod}: ${message}`);
    if (socket.readyState !== WebSocket.OPEN) return;
    if (request.subprotocol.endsWith("channel.k8s.io")) await new Channels(socket).finish(failureStatus(message));
    else socket.close(1011, message.slice(0, 120));
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the relay closed the stream")));
    socket.on("error", () => {}); // what follows is told by the close
  });
}
