/**
 * The life of one cluster inside an object that may sleep: which request goes where, its sockets, and its alarm. It
 * knows no platform: a Durable Object gives it one, and the simulator another.
 */
import { bearerToken, sha256 } from "./api/auth/authenticate.ts";
import { type LoginSettings, readLogins } from "./api/auth/logins.ts";
import { nodeOf } from "./api/auth/node-authorizer.ts";
import type { Fetcher } from "./api/auth/oidc/issuer-keys.ts";
import type { Past } from "./api/backup/rewind.ts";
import { RANGES } from "./api/backup/settings.ts";
import { usedDigests } from "./api/http/registry.ts";
import { type ForwardGrant, notConnected, type StreamGrant } from "./api/http/streams.ts";
import { watchType } from "./api/http/watch-stream.ts";
import { Core } from "./core.ts";
import { type CoreLimits, type CoreParts, LIMITS } from "./core-parts.ts";
import { AUTHORITY_SETTING, encryptionOf, FRONT_PROXY_SETTING, secretsOf } from "./deployment-secret.ts";
import type { Extension } from "./kinds/apiregistration/api-service.ts";
import { Namespace } from "./kinds/core/namespace.ts";
import { Node } from "./kinds/core/node.ts";
import { administratorToken } from "./lib/administrator.ts";
import type { CertificateAndKey, Certificates } from "./lib/certificates.ts";
import { type ClusterConfig, DEFAULT_CONFIG } from "./lib/config.ts";
import type { Effects } from "./lib/effects.ts";
import { errorText } from "./lib/error-text.ts";
import { CLUSTER_HEADER, DEADLINE_HEADER, GRANT_HEADER, INTERNAL_HEADER } from "./lib/internal-headers.ts";
import { ApiError, forbidden, unauthorized } from "./lib/status.ts";
import { pathAndQuery } from "./lib/url.ts";
import { asksForSocket, upgradeRequired } from "./lib/websocket.ts";
import { isSilent } from "./liveness.ts";
import type { Meter } from "./meter.ts";
import type { Outside } from "./outside.ts";
import type { EdgeAnswer } from "./protocol/ingress.ts";
import { type PeerRequest, WIREGUARD_KEY } from "./protocol/link.ts";
import { LOOK } from "./protocol/parse.ts";
import { type HostSocket, heardAt, nodeSocket, watchSocket } from "./sockets.ts";
import { openStore } from "./storage/sqlite-store.ts";
import type { Change, Sql } from "./storage/store.ts";

export type SocketTag = "node" | "watch";

export type HostPlatform = {
  sql: Sql;
  effects: Effects;
  certificates: Certificates;
  /** Other limits than the usual ones. */
  limits?: CoreLimits;
  /** Runs `body` while no other event reaches the object. */
  exclusively<T>(body: () => Promise<T>): Promise<T>;
  /** Runs `body` in a later turn of the event loop, soon or after so many ms. The object does not sleep before. */
  defer(body: () => void, ms?: number): void;
  /** Open sockets that were accepted under a tag, at least those of the name; always the same value for the same socket. */
  sockets(tag: SocketTag, name?: string): readonly HostSocket[];
  /** Takes the other end of a socket; `answer` makes the response that carries the client's end. */
  accept(tag: SocketTag, name?: string): { socket: HostSocket; answer(headers?: Record<string, string>): Response };
  /** When the one alarm is to go off, ms. It is storage, and outlives memory. */
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): void;
  /** The way to webhooks and extension servers; absent where none can be reached. */
  outside?: Outside;
  /** The way back to a moment, where there is one. */
  past?: Past;
  /** Reads the documents of those who issue ID tokens. */
  readDocument?: Fetcher;
  /** Counts what this uses, where anybody bills it. */
  meter?: Meter;
  /** Hears of every commit as it is made, which may still be lost with its turn. */
  committed?(changes: readonly Change[]): void;
  /** What a controller could not do; by default a line of the log. */
  report?(controller: string, key: string, error: unknown): void;
};

/** What the deployment says: see `env.ts`. */
export type HostSettings = LoginSettings & { SKERRY_SECRET?: string; SKERRY_CONFIG?: string; SKERRY_CA_HASH?: string };

/** Requests look over the nodes' sockets on their way; at most this often, in ms. */
const LOOK_AT_MOST_EVERY_MS = 1000;

export class Host {
  private readonly platform: HostPlatform;
  private readonly settings: HostSettings;
  private core: Core | undefined;
  private alarmAt: number | undefined;
  private lookedAt = 0;

  constructor(platform: HostPlatform, settings: HostSettings) {
    this.platform = platform;
    this.settings = settings;
  }

  /** What this memory holds of the cluster; undefined where nothing has needed it yet. */
  get awake(): Core | undefined {
    return this.core;
  }

  /** The cluster, its memory rebuilt from storage, or undefined where there is none yet. Not every event needs it. */
  private async cluster(): Promise<Core | undefined> {
    if (this.core) return this.core;
    return this.exclusively(async () => {
      const tables = this.platform.sql.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'settings'");
      return this.core ?? (tables.length > 0 ? this.open() : undefined);
    });
  }

  /** What fails in there resets the object, and whoever asked would not hear why: a refusal is thrown outside. */
  private async exclusively<T>(body: () => Promise<T>): Promise<T> {
    const done = await this.platform.exclusively(async () => {
      try {
        return { value: await body() };
      } catch (error) {
        if (error instanceof ApiError) return { error };
        throw error;
      }
    });
    if (done.error) throw done.error;
    return done.value as T;
  }

  async fetch(request: Request): Promise<Response> {
    try {
      const known = this.core ?? (await this.cluster());
      if (request.headers.get(INTERNAL_HEADER) === "ingress") return await this.leadToApp(known, request);
      if (request.headers.get(INTERNAL_HEADER) === "images")
        return Response.json({ used: known ? usedDigests(known.engine.view) : [] });
      if (request.headers.get(INTERNAL_HEADER) === "namespace") return namespaceOf(known, request);
      const core = known ?? (await this.found(request));
      if (this.platform.effects.now() - this.lookedAt >= LOOK_AT_MOST_EVERY_MS) await this.lookOver();
      const { pathname } = pathAndQuery(request.url);
      const node = /^\/link\/([^/]+)$/.exec(pathname)?.[1];
      if (node !== undefined) return await this.openLink(core, request, decodeURIComponent(node));
      if (request.headers.get(INTERNAL_HEADER) === "peer") return this.grantPeer(core, pathname);
      const extension = core.api.serverOf(pathname);
      if (extension) return await this.grantAggregated(core, request, extension);
      switch (request.headers.get(INTERNAL_HEADER)) {
        case "watch":
          return await this.openWatch(core, request);
        case "stream":
        case "stream-check":
          return await this.grantStream(core, request);
        default:
          return await core.api.fetch(request);
      }
    } catch (error) {
      if (error instanceof ApiError) return Response.json(error.status(), { status: error.code });
      throw error;
    }
  }

  /** Where there is no cluster yet, nothing is named. */
  private async leadToApp(core: Core | undefined, request: Request): Promise<Response> {
    return Response.json(
      core ? await core.ingress.answer(request) : ({ to: "api", counts: "meanwhile" } as EdgeAnswer),
    );
  }

  /** A new name becomes a cluster when its administrator first asks; until then nothing is stored for it. */
  private async found(request: Request): Promise<Core> {
    const name = request.headers.get(CLUSTER_HEADER) ?? "default";
    const token = await administratorToken(secretsOf(this.settings)[0], name);
    // Compared by hashes, so that how long it takes tells nothing.
    const presented = await sha256(bearerToken(request.headers) ?? "");
    if (presented !== (await sha256(token))) throw unauthorized();
    return this.exclusively(async () => this.core ?? (await this.open(name)));
  }

  private async open(newName?: string): Promise<Core> {
    const { sql, effects, certificates, limits = LIMITS, defer, sockets, getAlarm, committed, meter } = this.platform;
    this.alarmAt = (await getAlarm()) ?? undefined;
    const settled = { ...DEFAULT_CONFIG, ...JSON.parse(this.settings.SKERRY_CONFIG ?? "{}") };
    const store = openStore(sql, encryptionOf(this.settings, settled));
    if (committed) store.onChange(committed);
    meter?.keepIn(store);
    const name = store.getSetting("cluster.name") ?? newName ?? "default";
    const authorityOf = async (setting: string, subject: string): Promise<CertificateAndKey> => {
      const stored = store.getSetting(setting);
      return stored ? JSON.parse(stored) : certificates.createAuthority(subject, effects.now());
    };
    const authority = await authorityOf(AUTHORITY_SETTING, `skerry ${name}`);
    const frontProxy = await authorityOf(FRONT_PROXY_SETTING, "front-proxy-ca");
    const clusterId = store.getSetting("cluster.id") ?? effects.uid();
    const token = await administratorToken(secretsOf(this.settings)[0], name);
    // A cluster that was restored here may have been set up elsewhere, and then has IPv6 only if it had it there.
    const ranges = store.getSetting(RANGES);
    const config: ClusterConfig = { ...settled, ...(ranges && { ipv6: undefined, ...JSON.parse(ranges) }), name };
    if (!store.getSetting(AUTHORITY_SETTING) || !store.getSetting(FRONT_PROXY_SETTING))
      store.write(() => {
        store.setSetting(FRONT_PROXY_SETTING, JSON.stringify(frontProxy));
        store.setSetting("cluster.name", name);
        store.setSetting("cluster.id", clusterId);
        store.setSetting(AUTHORITY_SETTING, JSON.stringify(authority));
      });
    const parts: CoreParts = {
      store,
      effects,
      config,
      authority,
      frontProxy,
      certificates,
      limits,
      clusterId,
      logins: await readLogins(this.settings, {
        fetch: this.platform.readDocument,
        now: effects.now,
        report: (setting, error) => (this.platform.report ?? warn)("authentication", setting, error),
      }),
      adminTokenHash: await sha256(token),
      caHash: this.settings.SKERRY_CA_HASH,
      platform: {
        nodeSockets: () => sockets("node").map(nodeSocket),
        nodeSocketsOf: (node) => sockets("node", node).map(nodeSocket),
        watchSockets: () => sockets("watch").map(watchSocket),
        defer,
        ...(this.platform.outside && { outside: this.platform.outside }),
        ...(this.platform.past && { past: this.platform.past }),
        ...(meter && { used: () => meter.month() }),
        wakeAt: (due) => this.wakeAt(due),
        restored: () => this.restored(),
        report: this.platform.report ?? warn,
      },
    };
    this.core = new Core(parts);
    void this.core.suspectAll();
    return this.core;
  }

  /** Storage holds another state of the cluster now: memory is made anew from it. */
  private restored(): void {
    this.core?.end();
    this.core = undefined;
    // Whoever asks next would do it too; controllers do not wait for that.
    this.platform.defer(() =>
      this.cluster().catch((error) => (this.platform.report ?? warn)("cluster", "open", error)),
    );
  }

  private async openWatch(core: Core, request: Request): Promise<Response> {
    const spec = await core.api.openWatch(request);
    if (spec instanceof Response) return spec;
    // Accepted and filled in one turn, so that no change falls between the initial events and those that follow.
    return core.turn.run(() => {
      const { socket, answer } = this.platform.accept("watch");
      try {
        core.watchers.open(watchSocket(socket), spec);
      } catch (error) {
        socket.close(1011, "not opened");
        throw error;
      }
      return answer({
        "content-type": watchType(spec),
        "cache-control": "no-cache, private",
        "audit-id": core.api.auditIdOf(request),
        [DEADLINE_HEADER]: String(spec.deadline),
      });
    });
  }

  private async grantStream(core: Core, request: Request): Promise<Response> {
    const grant = await core.api.authorizeStream(request);
    if (grant instanceof Response) return grant;
    if (!core.link.connected(grant.node)) return away(grant);
    if (request.headers.get(INTERNAL_HEADER) === "stream") core.link.stream(grant.node, grant.stream);
    return Response.json(grant, { headers: { [GRANT_HEADER]: "1" } });
  }

  /** One node's agent wants to speak with another's. Who asks is known; without a key of each they have nothing to say. */
  private grantPeer(core: Core, pathname: string): Response {
    const [, from = "", to = ""] = pathname.split("/").map(decodeURIComponent);
    for (const name of [from, to])
      if (!core.engine.view.get(Node, "", name)?.metadata?.annotations?.[WIREGUARD_KEY])
        throw forbidden({ group: "", resource: "nodes", name: to }, `node ${name} tells no WireGuard key`);
    const stream: PeerRequest = { id: this.platform.effects.uid(), kind: "peer", node: from };
    if (!core.link.stream(to, stream)) throw notConnected(to);
    return Response.json({ node: to, stream } satisfies StreamGrant, { headers: { [GRANT_HEADER]: "1" } });
  }

  private async grantAggregated(core: Core, request: Request, extension: Extension): Promise<Response> {
    const forward = await core.api.authorizeForward(request, extension);
    if (forward instanceof Response) return forward;
    const { grant, headers } = forward;
    await core.extensions.granted(grant);
    return Response.json({ ...grant, headers } satisfies ForwardGrant, { headers: { [GRANT_HEADER]: "1" } });
  }

  private async openLink(core: Core, request: Request, node: string): Promise<Response> {
    const user = await core.api.authenticate(request);
    if (nodeOf(user) !== node)
      throw forbidden({ group: "", resource: "nodes", name: node }, `${user.name} is not this node`);
    if (!asksForSocket(request)) return upgradeRequired();
    const { socket, answer } = this.platform.accept("node", node);
    socket.keep({ type: "node", session: { node, state: "greeting" }, openedAt: this.platform.effects.now() });
    core.link.opened(nodeSocket(socket), node);
    return answer();
  }

  async message(socket: HostSocket, text: string): Promise<void> {
    if (socket.attachment().type !== "node") return;
    if (text === LOOK) return this.lookOver();
    await (await this.cluster())?.link.message(nodeSocket(socket), text);
  }

  /** A socket is gone. `heard`: when its other side last spoke, in ms. */
  async gone(socket: HostSocket, heard = this.platform.effects.now()): Promise<void> {
    const state = socket.attachment();
    if (state.type === "node") await (await this.cluster())?.disconnected(state.session.node, heard);
  }

  async alarm(): Promise<void> {
    this.alarmAt = undefined;
    const core = await this.cluster();
    await this.lookOver();
    await core?.turn.own();
  }

  /** Ends the nodes' sockets that fell silent; mostly there is none, and then neither memory nor storage is touched. */
  private async lookOver(): Promise<void> {
    const now = this.platform.effects.now();
    this.lookedAt = now;
    const silent = this.platform.sockets("node").filter((socket) => isSilent(socket, now));
    for (const socket of silent) socket.close(1001, "silent");
    await Promise.all(silent.map((socket) => this.gone(socket, heardAt(socket))));
  }

  /** One alarm for the work that comes due soonest. Setting it writes a row, so one that goes off too soon is let be. */
  private wakeAt(due: number | undefined): void {
    if (due === undefined || (this.alarmAt !== undefined && this.alarmAt <= due)) return;
    this.alarmAt = due;
    this.platform.setAlarm(due);
  }
}

/** The refusal. That of a log says which, since it may be kept elsewhere. */
function away({ node, stream }: StreamGrant): Response {
  const refusal = notConnected(node);
  if (stream.kind !== "log") throw refusal;
  const { namespace, pod, uid, container } = stream;
  const headers = { [GRANT_HEADER]: JSON.stringify({ namespace, pod, uid, container }) };
  return Response.json(refusal.status(), { status: refusal.code, headers });
}

/** When the namespace of the path was made, where there is one: `{created}`. */
function namespaceOf(core: Core | undefined, { url }: Request): Response {
  const name = pathAndQuery(url).pathname.split("/").at(-1) ?? "";
  return Response.json({ created: core?.engine.view.get(Namespace, "", name)?.metadata?.creationTimestamp });
}

const warn = (controller: string, key: string, error: unknown) =>
  console.warn(`${controller} ${key}: ${errorText(error)}`);
