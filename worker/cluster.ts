/** Cluster: one object a cluster, its single writer. It only gives the host the platform of a Durable Object. */
import { DurableObject } from "cloudflare:workers";
import { readDocument } from "./documents.ts";
import { bucketOf } from "./edge/bucket.ts";
import { isGrantOfLogs } from "./edge/kept-logs/kept-logs.ts";
import { removeAllOutdated } from "./edge/kept-logs/portions.ts";
import { Tidying } from "./edge/kept-logs/tidying.ts";
import { askOver } from "./edge/proxy.ts";
import { dialRelay } from "./edge/relay-socket.ts";
import { deadline, effects } from "./effects.ts";
import type { Env } from "./env.ts";
import { Host, type HostPlatform, type SocketTag } from "./host.ts";
import { certificates } from "./lib/certificates.ts";
import { errorText } from "./lib/error-text.ts";
import { CLUSTER_HEADER } from "./lib/internal-headers.ts";
import { sendableCode } from "./lib/websocket.ts";
import { Meter } from "./meter.ts";
import { PING, PONG } from "./protocol/parse.ts";
import { type Attachment, type HostSocket, once } from "./sockets.ts";
import { durableSql } from "./storage/durable-sql.ts";

/** The tag by which one node's socket is found. Tags hold 256 characters, and names 253. */
const named = (name: string) => `@${name}`;

/** The platform may refuse messages of more than 1 MiB; a watch is a stream, whatever pieces it comes in. */
const MAX_MESSAGE_BYTES = 512 * 1024;

const encoder = new TextEncoder();

export class Cluster extends DurableObject<Env> {
  protected readonly meter: Meter;
  private readonly host: Host;
  /** Sockets of watches. */
  private readonly watches = new WeakSet<WebSocket>();
  private readonly tidying: Tidying | undefined;
  private told: { text: string; bytes: Uint8Array } = { text: "", bytes: new Uint8Array() };
  private readonly socket = once<WebSocket, HostSocket>((socket) => ({
    send: (data) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!this.watches.has(socket)) return socket.send(data);
      const bytes = typeof data === "string" ? this.bytesOf(data) : data;
      for (let at = 0; at < bytes.length; at += MAX_MESSAGE_BYTES)
        socket.send(bytes.subarray(at, at + MAX_MESSAGE_BYTES));
    },
    close: (code, reason) => socket.close(code, reason),
    attachment: () => socket.deserializeAttachment() as Attachment,
    keep: (attachment) => socket.serializeAttachment(attachment),
    answeredAt: () => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime(),
  }));

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.meter = new Meter(effects, () => ctx.storage.sql.databaseSize);
    this.host = new Host(this.platform(), env);
    const bucket = bucketOf(env);
    this.tidying = bucket && new Tidying(ctx.storage, (name, now) => removeAllOutdated(bucket, name, now));
  }

  /** Watches of the same are sent the same text one after another: it is encoded once. */
  private bytesOf(text: string): Uint8Array {
    if (text !== this.told.text) this.told = { text, bytes: encoder.encode(text) };
    return this.told.bytes;
  }

  private socketsOf(tag: SocketTag, name?: string): WebSocket[] {
    const open = this.ctx
      .getWebSockets(name === undefined ? tag : named(name))
      .filter((socket) => socket.readyState === WebSocket.OPEN);
    if (tag === "watch") for (const socket of open) this.watches.add(socket);
    return open;
  }

  protected platform(): HostPlatform {
    const { ctx, meter } = this;
    return {
      sql: durableSql(ctx.storage, (read, written) => {
        meter.count("rowsRead", read);
        meter.count("rowsWritten", written);
      }),
      meter,
      effects,
      certificates,
      exclusively: (body) => ctx.blockConcurrencyWhile(body),
      defer(body, ms = 0) {
        meter.begin();
        effects.after(ms, () => {
          try {
            body();
          } finally {
            meter.end();
          }
        });
      },
      sockets: (tag, name) => this.socketsOf(tag, name).map(this.socket),
      accept: (tag, name) => {
        const { 0: near, 1: far } = new WebSocketPair();
        ctx.acceptWebSocket(far, name === undefined ? [tag] : [tag, named(name)]);
        if (tag === "watch") this.watches.add(far);
        return {
          socket: this.socket(far),
          answer: (headers = {}) => new Response(null, { status: 101, webSocket: near, headers }),
        };
      },
      outside: {
        deadline,
        fetch: (url, request) => (this.env.RECEIVERS ? this.env.RECEIVERS.fetch(url, request) : fetch(url, request)),
        exchange: async (clusterName, grant, request) =>
          askOver(await dialRelay(this.env.RELAY, clusterName, grant), request),
      },
      readDocument: (url, timeoutMs) => readDocument(this.env.ISSUERS, url, timeoutMs),
      past: {
        bookmarkAt: (at) => ctx.storage.getBookmarkForTime(at),
        restoreNext: (bookmark) => ctx.storage.onNextSessionRestoreBookmark(bookmark),
        restart: () => ctx.abort("the cluster goes back to a moment"),
      },
      getAlarm() {
        meter.count("rowsRead");
        return ctx.storage.getAlarm();
      },
      setAlarm(at) {
        meter.count("rowsWritten");
        void ctx.storage.setAlarm(at);
      },
    };
  }

  override fetch(request: Request): Promise<Response> {
    return this.meter.during("objectRequests", () => this.answer(request));
  }

  private async answer(request: Request): Promise<Response> {
    const now = effects.now();
    const failed = (error: unknown) => console.warn(`kept logs: ${errorText(error)}`);
    const later = (work?: Promise<void>) => work && this.ctx.waitUntil(work.catch(failed));
    later(this.tidying?.look(request.headers.get(CLUSTER_HEADER) ?? "default", now));
    const answer = await this.host.fetch(request);
    if (isGrantOfLogs(request, answer)) later(this.tidying?.granted(now));
    return answer;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.meter.during("messages", () => this.host.message(this.socket(socket), String(message)));
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    const sendable = sendableCode(code);
    if (socket.readyState !== WebSocket.CLOSED) socket.close(sendable);
    await this.gone(socket);
  }

  override webSocketError(socket: WebSocket): Promise<void> {
    return this.gone(socket);
  }

  private gone(socket: WebSocket): Promise<void> {
    return this.meter.during(undefined, () => this.host.gone(this.socket(socket)));
  }

  override alarm(): Promise<void> {
    return this.meter.during("alarms", () => this.host.alarm());
  }
}
