import { createSocket, type Socket } from "node:dgram";
import type { WebSocket } from "ws";
import type { Effects } from "../../../worker/lib/effects.ts";
import type { Timers } from "../../effects.ts";
import { offerText, packetsOf, packetsTo, readOffer } from "./frames.ts";
import { type Endpoint, endpointOf } from "./stun.ts";

export type RelayPortOptions = {
  /** Dials the other node's Relay. */
  dial(): WebSocket;
  /** Where WireGuard listens on this machine. */
  wireguardPort: number;
  effects: Effects & Timers;
  /** WireGuard has sent something here, or something has come. */
  onPacket(): void;
  onOffer(endpoints: Endpoint[]): void;
};

const LOOPBACK = "127.0.0.1";
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** What comes while the relay is being dialled waits, up to so much; and what it does not take is dropped, as by any router. */
const MAX_WAITING_PACKETS = 128;
const MAX_BUFFERED_BYTES = 512 * 1024;
/** Packets that come within a moment go together, in messages of no more than about this. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const RETRY_MS = { first: 500, most: 15_000 };
/** An uplink that was cut sends no goodbye: a relay that says nothing for so long is dialled anew. */
const SILENCE_MS = 10_000;
/** One that nothing goes through is closed, so that the Relay can sleep. */
const IDLE_MS = 60_000;
const NORMAL_CLOSURE = 1000;
/** Each node has dialled once, and perhaps anew before the other has seen that a socket is lost. */
const MOST_SOCKETS = 4;
/** For both ends' sockets: several times what one message of theirs ever is. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/**
 * The way to one other node through its Relay. To WireGuard it is a port of this machine. The relay is dialled when there
 * is something to send, by either node; both may have dialled at once, and then both sockets serve.
 */
export class RelayPort {
  readonly #options: RelayPortOptions;
  #udp: Socket | undefined;
  #listening: Promise<Endpoint> | undefined;
  readonly #sockets = new Set<WebSocket>();
  #dialling = false;
  #retryMs = RETRY_MS.first;
  #retryAt = 0;
  #waiting: Buffer[] = [];
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #flushing = false;
  #offer: string | undefined;
  #closed = false;
  /** When something last went through, ms. */
  #usedAt = 0;

  constructor(options: RelayPortOptions) {
    this.#options = options;
  }

  /** Resolves to where WireGuard is to send; the same each time. */
  listen(): Promise<Endpoint> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  async #listen(): Promise<Endpoint> {
    const udp = createSocket("udp4");
    udp.on("error", () => {});
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(0, LOOPBACK, () => resolve());
    });
    udp.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    udp.on("message", (packet, { port }) => {
      if (port !== this.#options.wireguardPort) return;
      this.#options.onPacket();
      this.#send(packet);
    });
    const endpoint = endpointOf(LOOPBACK, udp.address().port);
    if (this.#closed) udp.close();
    else this.#udp = udp;
    return endpoint;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  get #open(): WebSocket | undefined {
    return [...this.#sockets].findLast((socket) => socket.readyState === socket.OPEN);
  }

  /** Says where this node may be reached, as soon as the relay is there. */
  offer(endpoints: readonly Endpoint[]): void {
    const text = offerText(endpoints);
    const socket = this.#open;
    if (socket) return socket.send(text);
    this.#offer = text;
    this.#dial();
  }

  /** The other node has dialled this one's Relay, or this one the other's. */
  accept(socket: WebSocket): void {
    this.#makeRoom();
    this.#sockets.add(socket);
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    if (socket.readyState === socket.OPEN) this.#opened(socket);
    else socket.once("open", () => this.#opened(socket));
    if (this.#closed) socket.close(NORMAL_CLOSURE);
  }

  #makeRoom(): void {
    const [oldest] = this.#sockets;
    if (!oldest || this.#sockets.size < MOST_SOCKETS) return;
    this.#sockets.delete(oldest);
    oldest.close(NORMAL_CLOSURE);
  }

  #dial(): void {
    const { effects, dial } = this.#options;
    if (this.#dialling || this.#closed || effects.now() < this.#retryAt) return;
    this.#dialling = true;
    const socket = dial();
    const over = () => {
      if (!this.#dialling) return;
      this.#dialling = false;
      this.#retryAt = effects.now() + this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
      this.#waiting = [];
    };
    socket.once("close", over);
    socket.once("open", () => {
      this.#dialling = false;
      this.#retryMs = RETRY_MS.first;
    });
    this.accept(socket);
  }

  #opened(socket: WebSocket): void {
    if (this.#offer) socket.send(this.#offer);
    this.#offer = undefined;
    if (this.#waiting.length > 0) socket.send(packetsTo(this.#waiting));
    this.#waiting = [];
    this.#watch(socket);
  }

  #watch(socket: WebSocket): void {
    const { effects } = this.#options;
    let heard = effects.now();
    this.#usedAt = heard;
    const hear = () => {
      heard = effects.now();
    };
    socket.on("pong", hear).on("message", hear);
    const look = () => {
      if (socket.readyState !== socket.OPEN) return;
      const now = effects.now();
      if (now - heard > SILENCE_MS) return socket.terminate();
      if (now - this.#usedAt > IDLE_MS) return socket.close(NORMAL_CLOSURE);
      socket.ping();
      effects.after(SILENCE_MS / 2, look);
    };
    look();
  }

  #send(packet: Buffer): void {
    if (!this.#open) {
      if (this.#waiting.length < MAX_WAITING_PACKETS) this.#waiting.push(packet);
      return this.#dial();
    }
    this.#batch.push(packet);
    this.#batchBytes += packet.length;
    if (this.#flushing && this.#batchBytes < MAX_MESSAGE_BYTES) return;
    this.#flush();
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.effects.after(0, () => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch.length > 0) this.#usedAt = this.#options.effects.now();
    this.#batch = [];
    this.#batchBytes = 0;
    const socket = this.#open;
    if (batch.length > 0 && socket && socket.bufferedAmount < MAX_BUFFERED_BYTES) socket.send(packetsTo(batch));
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#usedAt = this.#options.effects.now();
    if (!isBinary) {
      const endpoints = readOffer(data.toString());
      return endpoints && this.#options.onOffer(endpoints);
    }
    this.#options.onPacket();
    for (const packet of packetsOf(data)) this.#udp?.send(packet, this.#options.wireguardPort, LOOPBACK, () => {});
  }

  close(): void {
    this.#closed = true;
    this.#offer = undefined;
    for (const socket of this.#sockets) socket.close(NORMAL_CLOSURE);
    this.#udp?.close();
    this.#udp = undefined;
  }
}
