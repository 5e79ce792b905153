/**
 * One cluster without its platform: storage, API, controllers, scheduler, watchers and the link, joined. The Cluster
 * object gives it sockets and an alarm; a simulator can give it others.
 */
import { type Api, createApp } from "./api/app.ts";
import { Audit } from "./api/audit/audit.ts";
import { createSecurity } from "./api/auth/security.ts";
import { forgetGivenUp } from "./api/backup/restore.ts";
import { bodyOf, formerBodyOf } from "./api/bodies.ts";
import { bootstrap } from "./api/bootstrap/bootstrap.ts";
import { type Attempt, type Caller, CalloutsNeeded, withCallouts } from "./api/callouts/callouts.ts";
import { serveCustomResources } from "./api/custom-resources.ts";
import { Engine } from "./api/engine/engine.ts";
import type { Applied } from "./api/engine/intents.ts";
import { Watches } from "./api/watch/watch.ts";
import { caller } from "./callouts.ts";
import { AVAILABILITY, availabilityController } from "./controllers/apiservice/availability.ts";
import {
  CERTIFICATES,
  type CertificateParts,
  certificateController,
  type SigningOrder,
} from "./controllers/certificates/certificates.ts";
import type { Controller } from "./controllers/controller.ts";
import { Driver, type ObjectChange } from "./controllers/driver.ts";
import { apiServerControllers, builtinControllers } from "./controllers/index.ts";
import { READINESS } from "./controllers/nodes/readiness.ts";
import { type LegacyToken, TOKENS, type TokenParts, tokensController } from "./controllers/serviceaccount/tokens.ts";
import type { CoreParts } from "./core-parts.ts";
import { Deferred } from "./deferred.ts";
import { ExtensionServers } from "./extensions.ts";
import { frontProxy } from "./front-proxy.ts";
import { Holds } from "./holds.ts";
import { builtinKinds, type Kinds } from "./kinds/registry.ts";
import { rangesOf } from "./lib/config.ts";
import type { ApiError } from "./lib/status.ts";
import { Link } from "./link/link.ts";
import { GRACE_MS } from "./link/readiness.ts";
import { connectionController, HEALTH, healthController, Losses } from "./liveness.ts";
import { answerCall, missedBy, objectsOf, welcome, writeOf } from "./nodes.ts";
import { NODE_RESOURCES } from "./protocol/link.ts";
import { scheduler } from "./scheduler/scheduler.ts";
import { answerOrder, nodeRequests } from "./signer.ts";
import type { Change } from "./storage/store.ts";
import { Turn } from "./turn.ts";
import { Upkeep } from "./upkeep.ts";
import { Watchers } from "./watchers.ts";

/** Keys that wait for controllers and are done in the turn of the requests that brought them. */
const FEW_KEYS = 4;

/** How soon a turn that failed is tried again, and how long it may take at most, when it fails again and again. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** What nodes hear of. */
const LINKED: ReadonlySet<string> = new Set([...NODE_RESOURCES, "pods", "configmaps", "secrets"]);

/** What reads and refusals leave in the audit log is written so much later at most, all of it at once. */
const AUDIT_LATE_MS = 200;

const RESYNCED = "controllers.known";
/** RFC 6455's registry: the server restarts, and the client is to come again. */
const RESTARTED = 1012;

export class Core {
  readonly api: Api;
  readonly engine: Engine;
  readonly link: Link;
  readonly watchers: Watchers;
  readonly extensions: ExtensionServers;
  readonly turn: Turn;
  private readonly parts: CoreParts;
  private readonly ask: Caller;
  private readonly kinds: Kinds;
  private readonly driver: Driver;
  /** Committed, and not yet told to controllers, watchers and nodes. */
  private untold: Change[] = [];
  private undriven: Change[] = [];
  private readonly losses = new Losses();
  private readonly upkeep: Upkeep;
  private readonly audit: Audit;
  private failures = 0;
  private retrying = false;
  /** When a turn comes for keys that have rested, ms. */
  private returning = Number.POSITIVE_INFINITY;

  constructor(parts: CoreParts) {
    this.parts = parts;
    const { store, effects, config, platform, limits } = parts;
    const began = store.revision();
    this.kinds = builtinKinds(config.runtimeConfig);
    forgetGivenUp(store, effects.now());
    serveCustomResources(store, this.kinds);
    const security = createSecurity(store);
    this.engine = new Engine({ store, kinds: this.kinds, effects, config, security, heard: () => this.link.heard() });
    const holds = new Holds(effects.now);
    this.upkeep = new Upkeep({
      store,
      limits,
      expireEvents: (budget) => this.engine.expireEvents(budget),
      held: () => holds.oldest(),
    });
    const { view } = this.engine;
    const watches = new Watches({
      kinds: this.kinds,
      view,
      effects,
      current: (kind, objects) => this.engine.current(kind, objects),
    });
    this.ask = this.createCaller();
    this.extensions = this.createExtensions();
    this.turn = new Turn({
      defer: platform.defer,
      settle: (served) => this.settle(served),
      now: effects.now,
    });
    this.audit = new Audit({ store, effects, wake: () => platform.defer(() => void this.turn.own(), AUDIT_LATE_MS) });
    this.api = createApp({
      audit: this.audit,
      engine: this.engine,
      kinds: this.kinds,
      store,
      effects,
      security,
      watches,
      config: {
        adminTokenHash: parts.adminTokenHash,
        ca: parts.authority.certificate,
        ...(parts.logins && { logins: parts.logins }),
      },
      ask: this.ask,
      extensions: this.extensions,
      batch: (body, place) => this.turn.run(body, place),
      backups: {
        cluster: { id: parts.clusterId, name: config.name },
        ranges: rangesOf(config),
        hold: (revision) => holds.hold(revision),
        restored: platform.restored,
        began,
        ...(platform.past && { past: platform.past }),
      },
    });
    this.link = this.createLink();
    this.watchers = new Watchers({
      watches,
      store,
      now: effects.now,
      defer: platform.defer,
      sockets: platform.watchSockets,
      report: (error) => platform.report("watch", "", error),
    });
    const controllers = [
      ...apiServerControllers({ client: parts.authority.certificate, frontProxy: parts.frontProxy.certificate }),
      availabilityController(this.extensions.check),
      ...(config.controllers
        ? [
            ...builtinControllers({ ...config, ca: parts.authority.certificate }),
            certificateController({ sign: this.certificates(), may: nodeRequests(security.authorizer) }),
            tokensController({ ca: parts.authority.certificate, sign: this.tokens() }),
            scheduler(),
          ]
        : []),
    ];
    this.driver = this.createDriver(controllers);
    store.onChange((changes) => {
      this.untold.push(...changes);
      this.undriven.push(...changes);
    });
    bootstrap({ store, kinds: this.kinds, engine: this.engine, config, effects });
    this.resync(controllers.map(({ name }) => name));
  }

  private certificates(): CertificateParts["sign"] {
    const asked = new Deferred<SigningOrder, ReturnType<CertificateParts["sign"]>>(
      (order) => answerOrder(this.parts.authority, order),
      (key) => void this.turn.own(() => this.driver.enqueue(CERTIFICATES, key)),
    );
    return (key, print, order) => asked.take(key, print, order);
  }

  private tokens(): TokenParts["sign"] {
    const asked = new Deferred<LegacyToken, string>(
      (token) => this.api.signForSecret(token),
      (key) => void this.turn.own(() => this.driver.enqueue(TOKENS, key)),
    );
    return (key, print, token) => asked.take(key, print, token);
  }

  private createCaller(): Caller {
    const { effects, config, platform } = this.parts;
    if (!platform.outside) return async () => ({ failed: "nothing outside can be reached" });
    return caller({
      view: this.engine.view,
      effects,
      clusterName: config.name,
      outside: platform.outside,
      connected: (node) => this.link.connected(node),
      stream: ({ node, stream }) => this.link.stream(node, stream),
    });
  }

  private createExtensions(): ExtensionServers {
    const { effects, config, platform, certificates, frontProxy: authority } = this.parts;
    return new ExtensionServers({
      clusterName: config.name,
      outside: platform.outside,
      view: this.engine.view,
      effects,
      certificate: frontProxy({ authority, certificates, now: effects.now }),
      connected: (node) => this.link.connected(node),
      stream: (node, stream) => this.link.stream(node, stream),
      recheck: (name) => void this.turn.own(() => this.driver.enqueue(AVAILABILITY, `/${name}`)),
    });
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
      call: (node, request) => answerCall(this.api, node, request),
      welcome: () => welcome(this.parts),
      report: (error) => platform.report("link", "", error),
      health: (node) => {
        this.losses.find(node);
        void this.turn.own(() => this.driver.enqueue(HEALTH, node));
      },
    });
  }

  private createDriver(controllers: readonly Controller[]): Driver {
    const { store, effects, platform } = this.parts;
    const { view } = this.engine;
    return new Driver({
      controllers: [
        ...controllers,
        connectionController((node) => this.link.connected(node)),
        healthController((node) => this.link.health(node)),
      ],
      view,
      apply: (intent, controller) => this.apply(intent, controller),
      wake: () => void this.turn.own(),
      work: store.work,
      effects,
      pull: () => this.pull(),
      looked: () => view.looked,
      report: platform.report,
    });
  }

  /** What webhooks must be asked about comes later, in a turn of its own. */
  private apply(intent: Applied, controller: string): ApiError | undefined | Promise<ApiError | undefined> {
    try {
      return this.engine.applyIntent(intent, controller);
    } catch (error) {
      if (!(error instanceof CalloutsNeeded)) throw error;
      const run = (attempt?: Attempt) => this.turn.run(() => this.engine.applyIntent(intent, controller, attempt));
      return withCallouts(run, this.ask, this.parts.effects);
    }
  }

  /** A node's socket is gone: it counts as lost unless it is back within the grace time, which runs from `heard` (ms). */
  disconnected(node: string, heard: number): Promise<void> {
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

  /**
   * The end of a turn. Where storage takes no writes (a full disk, a used-up day), what could not be done waits in memory
   * and is tried again, whether or not anyone asks for something meanwhile.
   */
  private settle(served: boolean): boolean {
    const { platform } = this.parts;
    try {
      const isPutOff = this.bringToRest(served);
      this.failures = 0;
      return isPutOff;
    } catch (error) {
      platform.report("cluster", "turn", error);
      this.tryAgain();
      return false;
    }
  }

  private tryAgain(): void {
    if (this.retrying) return;
    this.retrying = true;
    this.parts.platform.defer(
      () => {
        this.retrying = false;
        void this.turn.own();
      },
      Math.min(RETRY_MS * 2 ** this.failures++, LONGEST_RETRY_MS),
    );
  }

  /**
   * Controllers to rest (within the budget), then everyone is told, then the next wake-up is set. Where much waits for
   * controllers, those who sent requests are answered first: true, and they go on in the next turn.
   */
  private bringToRest(served: boolean): boolean {
    const { store, effects, platform, limits } = this.parts;
    const start = effects.now();
    this.writeAudit();
    this.losses.persist(store.work, (node) => this.link.connected(node));
    this.driver.due(start);
    const isPutOff = served && this.driver.waiting > FEW_KEYS;
    const rested = this.driver.drain(
      isPutOff ? { reconciles: 0 } : { reconciles: limits.turnReconciles, until: start + limits.turnMs },
    );
    this.driver.persist();
    const mustGoOn = this.upkeep.run(start, this.untold.length);
    const told = this.untold;
    this.untold = [];
    if (told.length > 0) {
      this.watchers.changed(told);
      const linked = told.filter(({ resource }) => LINKED.has(resource));
      if (linked.length > 0 && platform.nodeSockets().length > 0) this.link.changed(linked.map(writeOf));
    }
    platform.wakeAt(store.work.nextDue());
    this.returnAt(this.driver.restedAt, start);
    if (!rested || mustGoOn) platform.defer(() => void this.turn.own());
    return isPutOff;
  }

  /** Where that cannot be, it waits for the next turn, and nothing else does for it. */
  private writeAudit(): void {
    try {
      this.audit.flush();
    } catch (error) {
      this.parts.platform.report("audit", "", error);
    }
  }

  /** Rests are short, and an alarm would write a row for each; where memory is lost, the driver's mark brings it back. */
  private returnAt(due: number | undefined, now: number): void {
    if (due === undefined || due >= this.returning) return;
    this.returning = due;
    this.parts.platform.defer(
      () => {
        this.returning = Number.POSITIVE_INFINITY;
        void this.turn.own();
      },
      Math.max(0, due - now),
    );
  }

  /** Controllers hear of every object once after the set of them changed: an upgrade, or none before. */
  private resync(controllers: readonly string[]): void {
    const { store } = this.parts;
    const known = controllers.toSorted().join();
    if (store.getSetting(RESYNCED) === known) return;
    if (controllers.length > 0) this.driver.resync();
    // What waits is marked in the same stretch that says it was done: memory may be lost before it is.
    this.driver.persist();
    store.setSetting(RESYNCED, known);
    void this.turn.own();
  }

  private *pull(): Iterable<ObjectChange> {
    const changes = this.undriven;
    this.undriven = [];
    for (const change of changes) {
      const kind = this.kinds.preferred(change.resource);
      if (kind && this.driver.concerns(kind))
        yield { type: change.type, kind, object: bodyOf(change), old: formerBodyOf(change) };
    }
  }
}
