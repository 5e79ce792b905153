/**
 * Relay: one object a node, bytes only. It joins a client's socket and the agent's socket of the same stream id. A stream
 * id is a random UUID, given by the Cluster to both sides only, and so the right to join. Each side is answered with one
 * end of the same pair, and the platform moves the messages: no code runs for them, none waits in memory, and who does
 * not read holds the other side back.
 */
import { DurableObject } from "cloudflare:workers";
import { effects } from "./effects.ts";
import { asksForSocket, upgradeRequired } from "./lib/websocket.ts";
import { OTHER_SIDE_DID_NOT_COME } from "./protocol/proxy.ts";

/** How long one side waits for the other, in ms. */
const JOIN_TIMEOUT_MS = 15_000;

type Side = "client" | "agent";
/** The side that came first. */
type Waiting = { side: Side; meet(end: WebSocket | undefined): void };

export class Relay extends DurableObject {
  /** By stream id. */
  private readonly waiting = new Map<string, Waiting>();
  /** Ids whose sides have met, each once. */
  private readonly met = new Set<string>();

  /**
   * Either side is answered when both have come: until then neither can speak, nor end, and there is nothing to keep.
   * A side that waited in vain gets a socket that is closed at once, which tells clients more than a refusal would.
   */
  override async fetch(request: Request): Promise<Response> {
    const [, side, id] = new URL(request.url).pathname.split("/") as [string, Side, string];
    if (!asksForSocket(request)) return upgradeRequired();
    const waiting = this.waiting.get(id);
    if (waiting?.side === side || this.met.has(id)) return new Response("this stream is taken", { status: 409 });
    const webSocket = waiting ? this.join(id, waiting) : ((await this.otherSide(side, id)) ?? closed());
    const protocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket,
      headers: protocol ? { "sec-websocket-protocol": protocol } : {},
    });
  }

  private join(id: string, first: Waiting): WebSocket {
    this.met.add(id);
    const { 0: one, 1: other } = new WebSocketPair();
    first.meet(other);
    return one;
  }

  private otherSide(side: Side, id: string): Promise<WebSocket | undefined> {
    return new Promise((resolve) => {
      const meet = (end: WebSocket | undefined) => {
        cancel();
        this.waiting.delete(id);
        resolve(end);
      };
      const cancel = effects.after(JOIN_TIMEOUT_MS, () => meet(undefined));
      this.waiting.set(id, { side, meet });
    });
  }
}

function closed(): WebSocket {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  far.close(1011, OTHER_SIDE_DID_NOT_COME);
  return near;
}
