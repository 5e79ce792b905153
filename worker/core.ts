/**
 * One cluster without its platform: storage, API, controllers, scheduler, watchers and the link, joined. The Cluster
 * object gives it sockets and an alarm; a simulator can give it others.
 */
import { sender } from "./alerts.ts";
import { type Api, createApp } from "./api/app.ts";
import { Audit } from "./api/audit/audit.ts";
import { createSecurity } from "./api/auth/security.ts";
import { forgetGivenUp } from "./api/backup/restore.ts";
import { bootstrap } from "./api/bootstrap/bootstrap.ts";
import type { Caller } from "./api/callouts/callouts.ts";
import { serveCustomResources } from "./api/custom-resources.ts";
import { Engine } from "./api/engine/engine.ts";
import type { Security } from "./api/parts.ts";
import { Watches } from "./api/watch/watch.ts";
import { caller } from "./callouts.ts";
import { Control } from "./control.ts";
import { AVAILABILITY } from "./controllers/apiservice/availability.ts";
import { READINESS } from "./controllers/nodes/readiness.ts";
import type { CoreParts } from "./core-parts.ts";
import { ExtensionServers } from "./extensions.ts";
import { frontProxy } from "./front-proxy.ts";
import { Holds } from "./holds.ts";
import { EdgeIngress } from "./ingress.ts";
import { Service } from "./kinds/core/service.ts";
import { isWaker, isWoken } from "./kinds/ingress/idle.ts";
import { CUSTOM_METRICS_KINDS } from "./kinds/metrics/custom.ts";
import { METRICS_KINDS } from "./kinds/metrics/metrics.ts";
import { builtinKinds, type Kinds } from "./kinds/registry.ts";
import { signTicket } from "./lib/blob-tickets.ts";
import { rangesOf } from "./lib/config.ts";
import { Link } from "./link/link.ts";
import { GRACE_MS } from "./link/readiness.ts";
import { HEALTH, Losses } from "./liveness.ts";
import { Measurements } from "./measurements.ts";
import { answerCall, clusterDns, missedBy, objectsOf, podsSince, welcome } from "./nodes.ts";
import type { Way } from "./outside.ts";
import { ClusterTraffic, heardOf, type TrafficParts } from "./traffic.ts";
import { Turn } from "./turn.ts";
import { TurnEnd } from "./turn-end.ts";
import { Upkeep } from "./upkeep.ts";
import { NodeUsages, type UsageParts } from "./usages.ts";
import { Watchers } from "./watchers.ts";

/** What reads and refusals leave in the audit log is written so much later at most, all of it at once. */
const AUDIT_LATE_MS = 200;

/** RFC 6455's registry: the server restarts, and the client is to come again. */
const RESTARTED = 1012;

/** Nodes that have nothing new by then send nothing. */
const FIGURES_EVERY_MS = 20_000;

export class Core {
  readonly api: Api;
  readonly engine: Engine;
  readonly link: Link;
  readonly watchers: Watchers;
  readonly extensions: ExtensionServers;
  readonly ingress: EdgeIngress;
  /** What nodes and pods use; absent where nobody can wait for answers. */
  readonly usages: NodeUsages | undefined;
  private readonly traffic: ClusterTraffic | undefined;
  private figuresAt = Number.NEGATIVE_INFINITY;
  readonly turn: Turn;
  private readonly parts: CoreParts;
  private readonly kinds: Kinds;
  private readonly control: Control;
  private readonly losses = new Losses();
  private readonly audit: Audit;

  constructor(parts: CoreParts) {
    this.parts = parts;
    const { store, effects, config, platform } = parts;
    const began = store.revision();
    this.kinds = builtinKinds(config.runtimeConfig);
    forgetGivenUp(store, effects.now());
    serveCustomResources(store, this.kinds);
    // The API alone has none: with it, as with kube-apiserver, they are another server's.
    if (config.controllers) for (const kind of [...METRICS_KINDS, ...CUSTOM_METRICS_KINDS]) this.kinds.add(kind);
    const security = createSecurity(store);
    this.engine = new Engine({ store, kinds: this.kinds, effects, config, security, heard: () => this.link.heard() });
    const { view } = this.engine;
    const holds = new Holds(effects.now);
    const watches = new Watches({
      kinds: this.kinds,
      view,
      effects,
      current: (kind, objects) => this.engine.current(kind, objects),
    });
    this.turn = new Turn({ defer: platform.defer, settle: (served) => end.settle(served), now: effects.now });
    this.audit = new Audit({ store, effects, wake: () => platform.defer(this.come, AUDIT_LATE_MS) });
    const way: Way = {
      clusterName: config.name,
      outside: platform.outside,
      view,
      effects,
      stream: (node, request) => this.link.stream(node, request),
    };
    const ask = caller(way);
    this.extensions = this.createExtensions(way);
    this.usages = this.createUsages();
    this.traffic = this.createTraffic();
    this.api = this.createApi({ security, watches, ask, holds, began });
    this.link = this.createLink();
    this.ingress = this.createIngress();
    this.watchers = new Watchers({
      watches,
      store,
      now: effects.now,
      defer: platform.defer,
      sockets: platform.watchSockets,
      report: (error) => platform.report("watch", "", error),
    });
    const { extensions, usages, traffic } = this;
    const measurements = new Measurements({ view, extensions, usages, traffic, now: effects.now });
    this.control = new Control({
      ...parts,
      engine: this.engine,
      kinds: this.kinds,
      turn: this.turn,
      link: this.link,
      authorizer: security.authorizer,
      ask,
      check: this.extensions.check,
      signForSecret: this.api.signForSecret,
      measure: (questions) => measurements.answers(questions),
      tell: sender({ outside: platform.outside, cluster: config.name, now: effects.now }),
      hear: (services) => heardOf(services, this.traffic, effects.now),
    });
    const end = this.createTurnEnd(holds);
    bootstrap({ store, kinds: this.kinds, engine: this.engine, config, effects });
    this.control.resync();
  }

  private readonly come = (): void => void this.turn.own();

  private createApi(own: { security: Security; watches: Watches; ask: Caller; holds: Holds; began: number }): Api {
    const { store, effects, config, platform, adminTokenHash, caHash, authority, logins, clusterId } = this.parts;
    const { security, watches, ask, holds, began } = own;
    return createApp({
      audit: this.audit,
      engine: this.engine,
      kinds: this.kinds,
      store,
      effects,
      security,
      watches,
      config: { adminTokenHash, caHash, ca: authority.certificate, ...(logins && { logins }) },
      ask,
      extensions: this.extensions,
      ...(this.usages && { usages: this.usages }),
      ...(this.traffic && { traffic: this.traffic }),
      sendFigures: () => this.sendFigures(),
      ...(platform.used && { used: platform.used }),
      batch: (body, place) => this.turn.run(body, place),
      ticketFor: (digest) => signTicket(authority, digest, effects.now()),
      backups: {
        cluster: { id: clusterId, name: config.name },
        ranges: rangesOf(config),
        hold: (revision) => holds.hold(revision),
        restored: platform.restored,
        began,
        ...(platform.past && { past: platform.past }),
      },
    });
  }

  private createExtensions(way: Way): ExtensionServers {
    const { effects, certificates, frontProxy: authority } = this.parts;
    return new ExtensionServers({
      ...way,
      certificate: frontProxy({ authority, certificates, now: effects.now }),
      recheck: (name) => this.control.enqueue(AVAILABILITY, `/${name}`),
    });
  }

  private createIngress(): EdgeIngress {
    const { store, effects } = this.parts;
    return new EdgeIngress({
      store,
      view: this.engine.view,
      effects,
      authenticate: (request) => this.api.authenticate(request),
      isConnected: (node) => this.link.connected(node),
      nodes: () => this.link.heard().keys(),
      stream: (node, request) => this.link.stream(node, request),
      defer: this.parts.platform.defer,
      wake: (namespace, service) => this.wake(namespace, service),
      report: (error) => this.parts.platform.report("ingress", "", error),
    });
  }

  /** At most so often, however many look. */
  private sendFigures(): void {
    const now = this.parts.effects.now();
    if (now - this.figuresAt < FIGURES_EVERY_MS) return;
    this.figuresAt = now;
    this.link.askHistory();
  }

  private createUsages(): NodeUsages | undefined {
    const { effects, platform } = this.parts;
    if (!platform.outside) return undefined;
    const { deadline } = platform.outside;
    const ask: UsageParts["ask"] = (node, id, pods) => this.link.askUsage(node, id, pods);
    return new NodeUsages({ ask, deadline, now: effects.now });
  }

  private createTraffic(): ClusterTraffic | undefined {
    const { effects, platform } = this.parts;
    if (!platform.outside) return undefined;
    const { deadline } = platform.outside;
    const ask: TrafficParts["ask"] = (node, id) => this.link.askTraffic(node, id);
    const nodes = () => this.link.heard().keys();
    return new ClusterTraffic({ ask, deadline, now: effects.now, nodes, held: () => this.ingress.held });
  }

  /** Requests wait for a Service, at a node or at the edge; or at a node a connection, as that says. */
  private wake(namespace: string, name: string, by?: unknown): void {
    const service = this.engine.view.get(Service, namespace, name);
    if (service && isWoken(service)) this.control.wake(`${namespace}/${name}`, isWaker(by) ? by : undefined);
  }

  private createLink(): Link {
    const { store, platform } = this.parts;
    const { view } = this.engine;
    return new Link({
      objects: objectsOf(view, this.kinds),
      sockets: platform.nodeSockets,
      socketsOf: platform.nodeSocketsOf,
      revision: () => store.revision(),
      since: (revision, node) => missedBy(node, revision, store, view),
      podsSince: (revision) => podsSince(revision, store),
      builtins: [clusterDns(this.parts.config)],
      call: (node, request) => answerCall(this.api, node, request),
      welcome: () => welcome(this.parts),
      now: this.parts.effects.now,
      report: (error) => platform.report("link", "", error),
      usage: (...answer) => (answer[2].traffic ? this.traffic : this.usages)?.answered(...answer),
      wake: (...word) => this.wake(...word),
      health: (node) => {
        this.losses.find(node);
        this.control.enqueue(HEALTH, node);
      },
    });
  }

  private createTurnEnd(holds: Holds): TurnEnd {
    const { store, limits } = this.parts;
    const upkeep = new Upkeep({
      store,
      limits,
      expireEvents: (budget) => this.engine.expireEvents(budget),
      held: () => holds.oldest(),
    });
    return new TurnEnd({
      ...this.parts,
      audit: this.audit,
      losses: this.losses,
      driver: this.control.driver,
      upkeep,
      watchers: this.watchers,
      link: this.link,
      come: this.come,
    });
  }

  /** A node's socket is gone: it counts as lost unless it is back within the grace time, which runs from `heard` (ms). */
  disconnected(node: string, heard: number): Promise<void> {
    this.usages?.gone(node);
    this.traffic?.gone(node);
    this.losses.lose(node, heard + GRACE_MS);
    return this.turn.own();
  }

  /** Sockets end without a word when the object does: nodes that have none now get the grace time from now. */
  suspectAll(): Promise<void> {
    return this.turn.own(() => {
      const connected = this.link.heard();
      for (const [key, status] of this.engine.view.digest(READINESS)) {
        const name = key.slice(1);
        if (!connected.has(name) && status !== "Unknown") this.losses.lose(name, this.parts.effects.now() + GRACE_MS);
      }
    });
  }

  /** Storage is another's now: nothing that was begun here is gone on with, and nobody hears of it. */
  end(): void {
    this.turn.end();
    this.audit.end();
    this.watchers.expire();
    for (const socket of this.parts.platform.nodeSockets()) socket.close(RESTARTED, "the cluster was restored");
  }

  /** The newest revision, as this memory knows it. */
  revision(): number {
    return this.parts.store.revision();
  }
}
