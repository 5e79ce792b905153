/**
 * Relay: one object a node, bytes only. It joins a client's socket and the agent's socket of the same stream id and
 * copies messages between them, verbatim. A stream id is a random UUID, given by the Cluster to both sides only, and
 * so the right to join. Both sockets hibernate; the object is awake only while bytes flow or a side is awaited.
 */
import { DurableObject } from "cloudflare:workers";
import { effects } from "./effects.ts";

/** How long one side waits for the other, in ms. */
const JOIN_TIMEOUT_MS = 15_000;
/** What one side may send before the other is there. */
const MAX_EARLY_BYTES = 1024 * 1024;

type Side = "client" | "agent";
type Attachment = { side: Side; id: string };
type Message = string | ArrayBuffer;
/** What one side has said, up to its end, before the other came. `cancel` ends the wait for it. */
type Waiting = {
  side: Side;
  messages: Message[];
  bytes: number;
  ended?: { code: number; reason: string };
  cancel(): void;
};

const other = (side: Side): Side => (side === "client" ? "agent" : "client");

export class Relay extends DurableObject {
  /** By stream id. While there is one, its timer keeps the object awake; afterwards it may sleep. */
  private readonly waiting = new Map<string, Waiting>();

  override async fetch(request: Request): Promise<Response> {
    const [, side, id] = new URL(request.url).pathname.split("/") as [string, Side, string];
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return new Response("upgrade required", { status: 426 });
    const waiting = this.waiting.get(id);
    if (waiting?.side === side || this.sockets(side, id).length > 0)
      return new Response("this stream is taken", { status: 409 });
    const { 0: near, 1: far } = new WebSocketPair();
    this.ctx.acceptWebSocket(far, [`${side}/${id}`]);
    far.serializeAttachment({ side, id } satisfies Attachment);
    if (waiting) this.deliver(id, waiting, far);
    else if (this.sockets(other(side), id).length === 0) this.wait(side, id, far);
    const protocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: near,
      headers: protocol ? { "sec-websocket-protocol": protocol } : {},
    });
  }

  override async webSocketMessage(socket: WebSocket, message: Message): Promise<void> {
    const { side, id } = socket.deserializeAttachment() as Attachment;
    const waiting = this.waiting.get(id);
    if (waiting?.side !== side) return this.sockets(other(side), id)[0]?.send(message);
    waiting.bytes += typeof message === "string" ? message.length : message.byteLength;
    if (waiting.bytes > MAX_EARLY_BYTES) return socket.close(1009, "too much before the other side joined");
    waiting.messages.push(message);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    this.end(socket, code, reason);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.end(socket, 1011, "connection lost");
  }

  private sockets(side: Side, id: string): WebSocket[] {
    return this.ctx.getWebSockets(`${side}/${id}`).filter((socket) => socket.readyState === WebSocket.OPEN);
  }

  private wait(side: Side, id: string, socket: WebSocket): void {
    const cancel = effects.after(JOIN_TIMEOUT_MS, () => {
      this.waiting.delete(id);
      if (socket.readyState === WebSocket.OPEN) socket.close(1011, "the other side did not come");
    });
    this.waiting.set(id, { side, messages: [], bytes: 0, cancel });
  }

  /** The side that came first may have said all it had to, and have gone. */
  private deliver(id: string, { messages, ended, cancel }: Waiting, to: WebSocket): void {
    cancel();
    this.waiting.delete(id);
    for (const message of messages) to.send(message);
    // workerd may pass this close on only when the object falls asleep, ten seconds later; what was said comes at once.
    if (ended) to.close(ended.code, ended.reason);
  }

  private end(socket: WebSocket, code: number, reason: string): void {
    const { side, id } = socket.deserializeAttachment() as Attachment;
    // Codes that only describe a missing close frame may not be sent.
    const sendable = code === 1005 || code === 1006 || code === 1015 ? 1000 : code;
    const waiting = this.waiting.get(id);
    if (waiting?.side === side) waiting.ended = { code: sendable, reason };
    else for (const peer of this.sockets(other(side), id)) peer.close(sendable, reason);
    try {
      socket.close(sendable, reason);
    } catch {
      // already closed
    }
  }
}
