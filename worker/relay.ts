/**
 * Relay: one object a node, bytes only. It joins a client's socket and the agent's socket of the same stream id and
 * copies messages between them, verbatim. A stream id is a random UUID, given by the Cluster to both sides only, and
 * so the right to join. Both sockets hibernate; the object is awake only while bytes flow or a side is awaited.
 */
import { DurableObject } from "cloudflare:workers";
import { effects } from "./effects.ts";
import { asksForSocket, sendableCode, upgradeRequired } from "./lib/websocket.ts";

/** How long one side waits for the other, in ms. */
const JOIN_TIMEOUT_MS = 15_000;

type Side = "client" | "agent";
type Attachment = { side: Side; id: string };
/** The side that came first. */
type Waiting = { side: Side; meet(isMet: boolean): void };

const other = (side: Side): Side => (side === "client" ? "agent" : "client");

export class Relay extends DurableObject {
  /** By stream id. */
  private readonly waiting = new Map<string, Waiting>();

  /**
   * Either side is answered when both have come: until then neither can speak, nor end, and there is nothing to keep.
   * A side that waited in vain gets a socket that is closed at once, which tells clients more than a refusal would.
   */
  override async fetch(request: Request): Promise<Response> {
    const [, side, id] = new URL(request.url).pathname.split("/") as [string, Side, string];
    if (!asksForSocket(request)) return upgradeRequired();
    const waiting = this.waiting.get(id);
    if (waiting?.side === side || this.sockets(side, id).length > 0)
      return new Response("this stream is taken", { status: 409 });
    waiting?.meet(true);
    const isMet = waiting ? true : await this.otherSide(side, id);
    const { 0: near, 1: far } = new WebSocketPair();
    this.ctx.acceptWebSocket(far, [`${side}/${id}`]);
    far.serializeAttachment({ side, id } satisfies Attachment);
    if (!isMet) far.close(1011, "the other side did not come");
    const protocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: near,
      headers: protocol ? { "sec-websocket-protocol": protocol } : {},
    });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const { side, id } = socket.deserializeAttachment() as Attachment;
    this.sockets(other(side), id)[0]?.send(message);
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

  private otherSide(side: Side, id: string): Promise<boolean> {
    return new Promise((resolve) => {
      const meet = (isMet: boolean) => {
        cancel();
        this.waiting.delete(id);
        resolve(isMet);
      };
      const cancel = effects.after(JOIN_TIMEOUT_MS, () => meet(false));
      this.waiting.set(id, { side, meet });
    });
  }

  private end(socket: WebSocket, code: number, reason: string): void {
    const { side, id } = socket.deserializeAttachment() as Attachment;
    const sendable = sendableCode(code);
    for (const peer of this.sockets(other(side), id)) peer.close(sendable, reason);
    try {
      socket.close(sendable, reason);
    } catch {
      // already closed
    }
  }
}
