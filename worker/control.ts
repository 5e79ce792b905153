/** The controllers of a cluster, joined to the rest of it: which run, what they are given and what they hear of. */
import type { Authorizer } from "./api/auth/rules.ts";
import { bodyOf, formerBodyOf } from "./api/bodies.ts";
import { type Attempt, type Caller, CalloutsNeeded, withCallouts } from "./api/callouts/callouts.ts";
import type { Engine } from "./api/engine/engine.ts";
import type { Applied } from "./api/engine/intents.ts";
import { ALERTS, alertController, type Order } from "./controllers/alerts/alerts.ts";
import { availabilityController, type DiscoveryCheck } from "./controllers/apiservice/availability.ts";
import { CERTIFICATES, certificateController, type SigningOrder } from "./controllers/certificates/certificates.ts";
import type { Controller } from "./controllers/controller.ts";
import { Driver, type ObjectChange } from "./controllers/driver.ts";
import { AUTOSCALER, horizontalPodAutoscaler } from "./controllers/horizontalpodautoscaler/horizontalpodautoscaler.ts";
import type { MemoryStore } from "./controllers/horizontalpodautoscaler/memory.ts";
import type { Answers, Question } from "./controllers/horizontalpodautoscaler/metrics.ts";
import { apiServerControllers, builtinControllers } from "./controllers/index.ts";
import { type Heard, SCALE_TO_ZERO, scaleToZero, type Wake } from "./controllers/scale-to-zero/scale-to-zero.ts";
import { type LegacyToken, TOKENS, tokensController } from "./controllers/serviceaccount/tokens.ts";
import type { CoreParts } from "./core-parts.ts";
import { Deferred } from "./deferred.ts";
import type { Waker } from "./kinds/ingress/idle.ts";
import type { Kinds } from "./kinds/registry.ts";
import type { Outcome } from "./lib/alerts/step.ts";
import type { ApiError } from "./lib/status.ts";
import type { Link } from "./link/link.ts";
import { connectionController, healthController } from "./liveness.ts";
import { scheduler } from "./scheduler/scheduler.ts";
import { answerOrder, nodeRequests } from "./signer.ts";
import type { Change } from "./storage/store.ts";
import type { Turn } from "./turn.ts";

export type ControlParts = CoreParts & {
  engine: Engine;
  kinds: Kinds;
  turn: Turn;
  link: Pick<Link, "connected" | "health">;
  authorizer: Authorizer;
  /** Asks webhooks. */
  ask: Caller;
  /** Whether an extension server answers. */
  check: DiscoveryCheck;
  /** A token for a Secret that is to hold one. */
  signForSecret(token: LegacyToken): Promise<string>;
  /** What autoscalers ask for. */
  measure(questions: readonly Question[]): Promise<Answers>;
  /** What nodes have seen of requests for Services, `namespace/name`. */
  hear(services: readonly string[]): Promise<Heard>;
  /** Tells a receiver of alerts. */
  tell(order: Order): Promise<Outcome>;
};

const RESYNCED = "controllers.known";
/** What an autoscaler remembers, before its key. */
const REMEMBERED = "autoscaler:";
/** What is remembered of what may be scaled to zero, before the key of its Service. */
const SIZES = "scale-to-zero:";

export class Control {
  readonly driver: Driver;
  readonly #parts: ControlParts;
  /** The names of those that there are. */
  readonly #known: string;
  /** Committed, and not yet told to controllers. */
  #untold: Change[] = [];
  /** What was last said to wait, by Service. */
  readonly #wakes = new Map<string, Wake>();

  constructor(parts: ControlParts) {
    this.#parts = parts;
    const { store, effects, engine, platform, turn, link } = parts;
    const controllers = this.#controllers();
    this.#known = controllers
      .map(({ name }) => name)
      .toSorted()
      .join();
    this.driver = new Driver({
      controllers: [
        ...controllers,
        connectionController((node) => link.connected(node)),
        healthController((node) => link.health(node)),
      ],
      view: engine.view,
      apply: (intent, controller) => this.#apply(intent, controller),
      wake: () => void turn.own(),
      work: store.work,
      effects,
      pull: () => this.#pull(),
      looked: () => engine.view.looked,
      report: platform.report,
    });
    store.onChange((changes) => void this.#untold.push(...changes));
  }

  /** Has a controller look at a key in the next turn. */
  enqueue(controller: string, key: string): void {
    void this.#parts.turn.own(() => this.driver.enqueue(controller, key));
  }

  /** Requests wait for a Service that is scaled to zero. */
  wake(service: string, by: Waker | undefined): void {
    this.#wakes.set(service, { at: this.#parts.effects.now(), by });
    this.enqueue(SCALE_TO_ZERO, service);
  }

  /** Controllers hear of every object once after the set of them changed: an upgrade, or none before. */
  resync(): void {
    const { store, turn } = this.#parts;
    if (store.getSetting(RESYNCED) === this.#known) return;
    this.driver.resync();
    // What waits is marked in the same stretch that says it was done: memory may be lost before it is.
    this.driver.persist();
    store.setSetting(RESYNCED, this.#known);
    void turn.own();
  }

  #controllers(): Controller[] {
    const { config, authority, frontProxy, authorizer, check, signForSecret, measure, hear, tell, store } = this.#parts;
    const ca = authority.certificate;
    const own = [
      ...apiServerControllers({ client: ca, frontProxy: frontProxy.certificate }),
      availabilityController(check),
    ];
    if (!config.controllers) return own;
    const certificates = new Deferred(
      (order: SigningOrder) => answerOrder(authority, order),
      (key) => this.enqueue(CERTIFICATES, key),
    );
    const tokens = new Deferred(signForSecret, (key) => this.enqueue(TOKENS, key));
    const metrics = new Deferred(measure, (key) => this.enqueue(AUTOSCALER, key));
    const memoriesOf = (prefix: string): MemoryStore => ({
      recall: (key) => store.getSetting(prefix + key),
      remember: (key, text) =>
        text === undefined ? store.removeSetting(prefix + key) : store.setSetting(prefix + key, text),
    });
    const memories = memoriesOf(REMEMBERED);
    const heard = new Deferred(hear, (key) => this.enqueue(SCALE_TO_ZERO, key));
    const messages = new Deferred(tell, (key) => this.enqueue(ALERTS, key));
    const all = [
      ...own,
      ...builtinControllers({ ...config, ca }),
      certificateController({ sign: (...order) => certificates.take(...order), may: nodeRequests(authorizer) }),
      tokensController({ ca, sign: (...order) => tokens.take(...order) }),
      horizontalPodAutoscaler({ measure: (...order) => metrics.take(...order), memories }),
      scaleToZero({ ask: (...order) => heard.take(...order), wakes: this.#wakes, memories: memoriesOf(SIZES) }),
      alertController({ send: (...order) => messages.keep(...order) }),
      scheduler(),
    ];
    return all.filter(({ name }) => !config.disabledControllers.includes(name));
  }

  /** What webhooks must be asked about comes later, in a turn of its own. */
  #apply(intent: Applied, controller: string): ApiError | undefined | Promise<ApiError | undefined> {
    const { engine, turn, ask, effects } = this.#parts;
    try {
      return engine.applyIntent(intent, controller);
    } catch (error) {
      if (!(error instanceof CalloutsNeeded)) throw error;
      const run = (attempt?: Attempt) => turn.run(() => engine.applyIntent(intent, controller, attempt));
      return withCallouts(run, ask, effects);
    }
  }

  *#pull(): Iterable<ObjectChange> {
    const changes = this.#untold;
    this.#untold = [];
    for (const change of changes) {
      const kind = this.#parts.kinds.preferred(change.resource);
      if (kind && this.driver.concerns(kind))
        yield { type: change.type, kind, object: bodyOf(change), old: formerBodyOf(change) };
    }
  }
}
