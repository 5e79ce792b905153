/** Cluster: one object a cluster, its single writer. It only wires the platform to the core. */
import { DurableObject } from "cloudflare:workers";
import { Core, type CoreParts } from "./core.ts";
import { effects } from "./effects.ts";
import type { Env } from "./env.ts";
import { administratorToken } from "./lib/administrator.ts";
import { createAuthority } from "./lib/certificates.ts";
import { type ClusterConfig, DEFAULT_CONFIG } from "./lib/config.ts";
import { ApiError, forbidden, unauthorized } from "./lib/status.ts";
import { PING, PONG } from "./protocol/parse.ts";
import { type Attachment, attachment, isOpen, nodeSocket, watchSocket } from "./sockets.ts";
import { durableSql } from "./storage/durable-sql.ts";
import { openStore } from "./storage/sqlite-store.ts";

/** How often connected nodes are looked over for sockets that died without a word, and when one counts as dead, in ms. */
const SWEEP_EVERY_MS = 20_000;
const SILENCE_MS = 35_000;
const MIN_SECRET_CHARACTERS = 24;

export class Cluster extends DurableObject<Env> {
  private core: Core | undefined;
  private alarmAt: number | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    void ctx.blockConcurrencyWhile(async () => {
      this.alarmAt = (await ctx.storage.getAlarm()) ?? undefined;
      const tables = ctx.storage.sql
        .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'settings'")
        .toArray();
      if (tables.length > 0) await this.open();
    });
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      const core = this.core ?? (await this.found(request));
      const { pathname } = new URL(request.url);
      const node = /^\/link\/([^/]+)$/.exec(pathname)?.[1];
      if (node !== undefined) return await this.openLink(core, request, decodeURIComponent(node));
      switch (request.headers.get("x-skerry-internal")) {
        case "watch":
          return await this.openWatch(core, request);
        case "stream":
        case "stream-check":
          return await this.grantStream(core, request);
        default:
          return await core.api.app.fetch(request);
      }
    } catch (error) {
      if (error instanceof ApiError) return Response.json(error.status(), { status: error.code });
      throw error;
    }
  }

  /** A new name becomes a cluster when its administrator first asks; until then nothing is stored for it. */
  private async found(request: Request): Promise<Core> {
    const name = request.headers.get("x-skerry-cluster") ?? "default";
    const token = await administratorToken(secretOf(this.env), name);
    if (request.headers.get("authorization") !== `Bearer ${token}`) throw unauthorized();
    return this.ctx.blockConcurrencyWhile(async () => this.core ?? (await this.open(name)));
  }

  private async open(newName?: string): Promise<Core> {
    const store = openStore(durableSql(this.ctx.storage));
    const name = store.getSetting("cluster.name") ?? newName ?? "default";
    const stored = store.getSetting("cluster.authority");
    const authority = stored
      ? (JSON.parse(stored) as CoreParts["authority"])
      : await createAuthority(`skerry ${name}`, effects.now());
    const clusterId = store.getSetting("cluster.id") ?? effects.uid();
    const token = await administratorToken(secretOf(this.env), name);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
    const config: ClusterConfig = { ...DEFAULT_CONFIG, ...JSON.parse(this.env.SKERRY_CONFIG ?? "{}"), name };
    if (!stored)
      store.write(() => {
        store.setSetting("cluster.name", name);
        store.setSetting("cluster.id", clusterId);
        store.setSetting("cluster.authority", JSON.stringify(authority));
      });
    this.core = new Core({
      store,
      effects,
      config,
      authority,
      clusterId,
      adminTokenHash: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      platform: {
        nodeSockets: () => this.ctx.getWebSockets("node").filter(isOpen).map(nodeSocket),
        watchSockets: () => this.ctx.getWebSockets("watch").filter(isOpen).map(watchSocket),
        defer: (body) => effects.after(0, body),
        wakeAt: (due) => this.wakeAt(due),
      },
    });
    void this.core.suspectAll();
    return this.core;
  }

  private async openWatch(core: Core, request: Request): Promise<Response> {
    const { 0: near, 1: far } = new WebSocketPair();
    const spec = await core.api.openWatch(request);
    if (spec instanceof Response) return spec;
    // Accepted and filled in one turn, so that no change falls between the initial events and those that follow.
    return core.turn.run(() => {
      this.ctx.acceptWebSocket(far, ["watch"]);
      core.watchers.open(watchSocket(far), spec);
      const headers = {
        "content-type": "application/json",
        "cache-control": "no-cache, private",
        "x-skerry-deadline": String(spec.deadline),
      };
      return new Response(null, { status: 101, webSocket: near, headers });
    });
  }

  private async grantStream(core: Core, request: Request): Promise<Response> {
    const grant = await core.api.authorizeStream(request);
    if (grant instanceof Response) return grant;
    if (!core.link.connected(grant.node))
      throw new ApiError(503, "ServiceUnavailable", `node ${grant.node} is not connected to the control plane`);
    if (request.headers.get("x-skerry-internal") === "stream") core.link.stream(grant.node, grant.stream);
    return Response.json(grant, { headers: { "x-skerry-grant": "1" } });
  }

  private async openLink(core: Core, request: Request, node: string): Promise<Response> {
    const user = await core.api.authenticate(request);
    if (user.name !== `system:node:${node}`)
      throw forbidden({ group: "", resource: "nodes", name: node }, `${user.name} is not this node`);
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return new Response("upgrade required", { status: 426 });
    const { 0: near, 1: far } = new WebSocketPair();
    this.ctx.acceptWebSocket(far, ["node"]);
    far.serializeAttachment({
      type: "node",
      session: { node, state: "greeting" },
      openedAt: effects.now(),
    } satisfies Attachment);
    core.link.opened(nodeSocket(far), node);
    return new Response(null, { status: 101, webSocket: near });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (attachment(socket).type === "node") await this.core?.link.message(nodeSocket(socket), String(message));
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    const sendable = code === 1005 || code === 1006 || code === 1015 ? 1000 : code;
    if (socket.readyState !== WebSocket.CLOSED) socket.close(sendable);
    await this.gone(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.gone(socket);
  }

  /** `heard`: when the other side last spoke, in ms. */
  private async gone(socket: WebSocket, heard = effects.now()): Promise<void> {
    const state = attachment(socket);
    if (state.type === "node") await this.core?.disconnected(state.session.node, heard);
  }

  override async alarm(): Promise<void> {
    this.alarmAt = undefined;
    const now = effects.now();
    for (const socket of this.ctx.getWebSockets("node").filter(isOpen)) {
      const state = attachment(socket);
      if (state.type !== "node") continue;
      const heard = Math.max(state.openedAt, this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
      if (now - heard < SILENCE_MS) continue;
      socket.close(1001, "silent");
      await this.gone(socket, heard);
    }
    await this.core?.turn.run(() => {});
  }

  /** One alarm for the soonest of: work that comes due, and the next look at connected nodes. */
  private wakeAt(due: number | undefined): void {
    const sweep = this.ctx.getWebSockets("node").some(isOpen) ? effects.now() + SWEEP_EVERY_MS : undefined;
    const wanted = Math.min(due ?? Number.POSITIVE_INFINITY, sweep ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(wanted) || (this.alarmAt !== undefined && this.alarmAt <= wanted)) return;
    this.alarmAt = wanted;
    void this.ctx.storage.setAlarm(wanted);
  }
}

/** Tokens derive from it: with a guessable one, or none, anyone could make them. */
function secretOf({ SKERRY_SECRET: secret }: Env): string {
  if (typeof secret === "string" && secret.length >= MIN_SECRET_CHARACTERS) return secret;
  const least = `${MIN_SECRET_CHARACTERS} characters`;
  throw new ApiError(
    503,
    "ServiceUnavailable",
    `this deployment has no SKERRY_SECRET of at least ${least}: use skerry deploy`,
  );
}
