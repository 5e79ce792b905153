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

const other = (side: Side): Side => (side === "client" ? "agent" : "client");

export class Relay extends DurableObject {
  /** Messages that came before the other side did, by stream id. */
  private readonly early = new Map<string, { messages: Message[]; bytes: number }>();
  /** What ends the wait for the other side, by stream id. */
  private readonly waits = new Map<string, () => void>();

  override async fetch(request: Request): Promise<Response> {
    const [, side, id] = new URL(request.url).pathname.split("/") as [string, Side, string];
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return new Response("upgrade required", { status: 426 });
    if (this.sockets(side, id).length > 0) return new Response("this stream is taken", { status: 409 });
    const { 0: near, 1: far } = new WebSocketPair();
    this.ctx.acceptWebSocket(far, [`${side}/${id}`]);
    far.serializeAttachment({ side, id } satisfies Attachment);
    const [peer] = this.sockets(other(side), id);
    if (peer) this.flush(id, far);
    else
      this.waits.set(
        id,
        effects.after(JOIN_TIMEOUT_MS, () => this.expire(side, id, far)),
      );
    const protocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: near,
      headers: protocol ? { "sec-websocket-protocol": protocol } : {},
    });
  }

  override async webSocketMessage(socket: WebSocket, message: Message): Promise<void> {
    const { side, id } = socket.deserializeAttachment() as Attachment;
    const [peer] = this.sockets(other(side), id);
    if (peer) return peer.send(message);
    const waiting = this.early.get(id) ?? { messages: [], bytes: 0 };
    waiting.bytes += typeof message === "string" ? message.length : message.byteLength;
    if (waiting.bytes > MAX_EARLY_BYTES) return socket.close(1009, "too much before the other side joined");
    waiting.messages.push(message);
    this.early.set(id, waiting);
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

  /** Nobody waits any more: without a timer the object may sleep. */
  private forget(id: string): void {
    this.waits.get(id)?.();
    this.waits.delete(id);
    this.early.delete(id);
  }

  private flush(id: string, to: WebSocket): void {
    for (const message of this.early.get(id)?.messages ?? []) to.send(message);
    this.forget(id);
  }

  private expire(side: Side, id: string, socket: WebSocket): void {
    if (this.sockets(other(side), id).length > 0 || socket.readyState !== WebSocket.OPEN) return;
    this.forget(id);
    socket.close(1011, "the other side did not come");
  }

  private end(socket: WebSocket, code: number, reason: string): void {
    const { side, id } = socket.deserializeAttachment() as Attachment;
    // Codes that only describe a missing close frame may not be sent.
    const sendable = code === 1005 || code === 1006 || code === 1015 ? 1000 : code;
    for (const peer of this.sockets(other(side), id)) peer.close(sendable, reason);
    this.forget(id);
    try {
      socket.close(sendable, reason);
    } catch {
      // already closed
    }
  }
}
