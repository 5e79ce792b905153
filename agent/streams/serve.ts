/** Serves what the control plane asks for on a socket to this node's Relay: one socket a stream. */
import { WebSocket } from "ws";
import { errorText } from "../../worker/lib/error-text.ts";
import { LOG_AS_BODY, type PodStreamRequest, type ServedRequest } from "../../worker/protocol/link.ts";
import type { ProxyMessage } from "../../worker/protocol/proxy.ts";
import type { NodeIdentity } from "../local/join.ts";
import { agentTrusting } from "../trust.ts";
import { serveAttach } from "./attach.ts";
import { Channels, closeInOrder, failureStatus, sendWithin } from "./channels.ts";
import { serveExec } from "./exec.ts";
import { serveLog } from "./log.ts";
import { servePortForward } from "./port-forward.ts";
import { serveProxy } from "./proxy.ts";
import type { Served, ServedPod, StreamDeps } from "./served.ts";

const HANDSHAKE_MS = 10_000;
/** workerd may leave a closed connection open. Nothing is lost by ending it: `closeInOrder`. */
const CLOSE_MS = 1_000;
/** A close frame has room for 123 bytes of UTF-8. */
const MAX_REASON = 40;

const ofContainer =
  (kind: "exec" | "attach" | "log", serve: (served: Served) => Promise<void>) => async (served: ServedPod) => {
    const { namespace, pod, uid, container: name } = served.request;
    const container = served.deps.pods.find(namespace, pod, uid, name);
    if (!container || (kind !== "log" && !container.running)) throw new Error(MISSING[kind](served.request));
    await serve({ ...served, container });
  };

/** What a kubelet says of a container that does not run, or has no log yet, in the words that reach the client. */
const MISSING: Record<"exec" | "attach" | "log", (request: PodStreamRequest) => string> = {
  exec: ({ container }) => `unable to upgrade connection: container not found ("${container}")`,
  attach: ({ container, pod, namespace }) =>
    `unable to upgrade connection: container ${container} not found in pod ${pod}_${namespace}`,
  log: ({ container, pod }) => `container "${container}" in pod "${pod}" is not available`,
};

const POD_SERVERS: Record<PodStreamRequest["kind"], (served: ServedPod) => Promise<void>> = {
  exec: ofContainer("exec", serveExec),
  attach: ofContainer("attach", serveAttach),
  log: ofContainer("log", serveLog),
  portforward: servePortForward,
};

const subjectOf = (request: ServedRequest): string =>
  request.kind === "proxy"
    ? `proxy to ${request.address || "the node"}:${request.port}`
    : `${request.kind} of ${request.namespace}/${request.pod}`;

export async function serveStream(
  request: ServedRequest,
  deps: StreamDeps & { identity: NodeIdentity },
): Promise<void> {
  const socket = dialRelay(deps.identity, request.id);
  try {
    await opened(socket, () => serveOn(socket, request, deps));
  } catch (error) {
    deps.log(`${subjectOf(request)}: ${(error as Error).message}`);
  }
}

/**
 * Dials a Relay: this node's for a stream of an id, or for `peers/NAME` another node's. Longer messages than `maxPayload`,
 * in bytes, end the socket.
 */
export function dialRelay(identity: NodeIdentity, what: string, limits: { maxPayload?: number } = {}): WebSocket {
  const url = `${identity.server.replace(/^http/, "ws")}/relay/${encodeURIComponent(identity.node)}/${what}`;
  // The subprotocol is the client's and this end's affair: the Relay between them copies bytes.
  const headers = { authorization: `Bearer ${identity.token}` };
  // Compression would cost more than it saves, on both sides.
  const timeouts = { handshakeTimeout: HANDSHAKE_MS, closeTimeout: CLOSE_MS };
  const secure = url.startsWith("wss:") ? { agent: agentTrusting(identity.ca), generateMask: withoutMask } : {};
  return new WebSocket(url, { headers, ...secure, perMessageDeflate: false, ...timeouts, ...limits });
}

/** Serves a request on an open socket, to its end; every failure is told on the socket. */
export async function serveOn(socket: WebSocket, request: ServedRequest, deps: StreamDeps): Promise<void> {
  try {
    if (request.kind === "proxy") await serveProxy({ socket, request, deps });
    else await POD_SERVERS[request.kind]({ socket, request, deps });
  } catch (error) {
    const message = errorText(error);
    deps.log(`${subjectOf(request)}: ${message}`);
    if (socket.readyState !== WebSocket.OPEN) return;
    if (request.kind !== "proxy" && request.subprotocol.endsWith("channel.k8s.io"))
      await new Channels(socket, request.subprotocol).finish(failureStatus(message));
    else if (request.kind === "log" && request.subprotocol === LOG_AS_BODY) {
      await sendWithin(socket, JSON.stringify({ type: "unreachable", message } satisfies ProxyMessage));
      await closeInOrder(socket);
    } else socket.close(1011, message.slice(0, MAX_REASON));
  }
}

/**
 * Masks keep what is sent from being taken for a request by who passes it on (RFC 6455 §10.3). Within TLS nobody can,
 * and the mask of zeros spares a copy of each message, byte by byte.
 */
function withoutMask(mask: Buffer): void {
  mask.fill(0);
}

/** `then` begins within the event: what came together with the handshake is told before any promise gets its turn. */
function opened(socket: WebSocket, then: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(then()));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the relay closed the stream")));
    socket.on("error", () => {}); // what follows is told by the close
  });
}
