/** A whole cluster in one process: the Cluster object, the network, machines and clients under one clock and one seed. */
import { createHash, type Hash } from "node:crypto";
import { type CoreLimits, LIMITS } from "../../../worker/core-parts.ts";
import { ApiError } from "../../../worker/lib/status.ts";
import {
  type Invariant,
  type Met,
  type Observation,
  type SimNode,
  type SimNodeOptions,
  Violation,
} from "../contract.ts";
import { ModelBucket } from "./bucket.ts";
import { Clock } from "./clock.ts";
import { Database } from "./database.ts";
import { dial } from "./dial.ts";
import { Edge } from "./edge.ts";
import { BEGINNING, type Image, NODE_NAMES, SETTINGS } from "./image.ts";
import { Network, Place } from "./network.ts";
import { type Answer, ClusterObject } from "./object.ts";
import { part } from "./part.ts";
import { stream } from "./random.ts";
import { installRealAsync } from "./real-async.ts";
import { Relays } from "./relays.ts";
import { WorldTruth } from "./truth.ts";
import { FrontWorker } from "./worker.ts";

export type WorldOptions = {
  seed: number;
  image: Image;
  /** Machines with an agent, at most as many as the image knows. */
  nodes: number;
  createNode(options: SimNodeOptions): SimNode;
  invariants: readonly Invariant[];
  limits?: Partial<CoreLimits>;
  /** Told of everything that happens. */
  watch?(observation: Observation): void;
};

type Watcher = ReturnType<Invariant["start"]>;

/** A client gives up an answer after so long. */
export const REQUEST_TIMEOUT_MS = 30_000;

installRealAsync();

export class World {
  readonly seed: number;
  readonly clock = new Clock(BEGINNING);
  readonly network: Network;
  readonly object: ClusterObject;
  readonly truth: WorldTruth;
  readonly nodes: readonly SimNode[];
  readonly relays: Relays;
  readonly edge: Edge;
  readonly bucket: ModelBucket;
  readonly adminToken: string;
  observations = 0;
  #ids = 0;
  readonly #worker: FrontWorker;
  readonly #options: WorldOptions;
  readonly #database: Database;
  readonly #places = new Map<string, Place>();
  readonly #watchers: { rule: string; watcher: Watcher }[];
  readonly #hash: Hash = createHash("sha256");

  constructor(options: WorldOptions) {
    const { seed, image } = options;
    const limits = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.seed = seed;
    this.adminToken = image.adminToken;
    this.network = new Network(this.clock, stream(seed, "network"));
    this.#database = new Database(image.bytes);
    this.truth = new WorldTruth(this.clock, this.#database, limits.keepRevisions);
    this.object = new ClusterObject({
      clock: this.clock,
      network: this.network,
      database: this.#database,
      part: part(this.clock, seed, "object"),
      settings: SETTINGS,
      limits,
      observe: (observation) => this.observe(observation),
      report: (controller, key, error) => this.#reported(`${controller} ${key}`, error),
      uncaught: (error) => this.#reported("the object", error),
    });
    this.truth.object = this.object;
    this.#watchers = options.invariants.map((invariant) => ({
      rule: invariant.rule,
      watcher: invariant.start(this.truth),
    }));
    this.relays = new Relays(this);
    this.edge = new Edge(this);
    this.bucket = new ModelBucket({
      part: part(this.clock, seed, "bucket"),
      observe: (observation) => this.observe(observation),
    });
    this.truth.kept = this.bucket;
    this.#worker = new FrontWorker(this, this.bucket);
    this.nodes = NODE_NAMES.slice(0, options.nodes).map((name) => this.#node(name));
    this.truth.machines = this.nodes;
  }

  /** Hex; equal for equal histories. */
  hash(): string {
    return this.#hash.copy().digest("hex");
  }

  /** For requests and watches. */
  nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  place(name: string): Place {
    const place = this.#places.get(name) ?? new Place(name, this.clock);
    this.#places.set(name, place);
    return place;
  }

  places(): Iterable<Place> {
    return this.#places.values();
  }

  /** Runs for so long, ms. Rejects with the first violation. */
  run(ms: number): Promise<void> {
    return this.clock.run(this.clock.now + ms);
  }

  /** Everything must be as wanted now. */
  rest(): void {
    this.observe({ at: this.clock.now, type: "rested" });
    for (const { watcher } of this.#watchers) watcher.rested?.();
  }

  close(): void {
    this.#database.close();
  }

  /** What an observer throws ends the run. */
  observe(observation: Observation): void {
    this.observations += 1;
    this.#hash.update(digestOf(observation));
    this.#options.watch?.(observation);
    this.truth.observe(observation);
    try {
      for (const { watcher } of this.#watchers) watcher.observe?.(observation);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.clock.stop(error);
  }

  /** Undefined when no answer will come. */
  exchange(place: Place, request: Request): Promise<Answer | undefined> {
    const { clock, network, object } = this;
    return new Promise((resolve) => {
      const lost = () => void clock.after(REQUEST_TIMEOUT_MS, () => resolve(undefined));
      if (network.loses()) return lost();
      clock.after(network.delay(), () => {
        if (place.isCut) return lost();
        if (object.conditions.refused) return void clock.after(network.delay(), () => resolve(REFUSED));
        const torn = () => void clock.after(network.delay(), () => resolve(undefined));
        object.fetch(
          request,
          (answer) => {
            const arrive = () => {
              if (place.isCut || network.loses()) {
                answer.connection?.fallSilent();
                return lost();
              }
              resolve(answer);
            };
            clock.after(network.delay(), arrive);
          },
          torn,
        );
      });
    });
  }

  #node(name: string): SimNode {
    const token = this.#options.image.nodeTokens.get(name) ?? "";
    const place = this.place(name);
    return this.#options.createNode({
      name,
      part: part(this.clock, this.seed, name),
      connect: () =>
        dial(this, place, `https://cluster/link/${name}`, { authorization: `Bearer ${token}`, upgrade: "websocket" }),
      observe: (observation) => this.observe({ at: this.clock.now, ...observation }),
      reach: (address) => this.#reach(place, address),
      volumes: this.relays.volumesOf(place, token),
      streams: this.edge.streamsOf(place),
      askBucket: this.#worker.asker(place, token),
    });
  }

  /** Machines reach each other's pods unless one of them is cut off. */
  #reach(from: Place, address: string): Met {
    for (const fact of this.truth.containers().values()) {
      if (fact.ip !== address || fact.state !== "running") continue;
      const to = this.place(fact.node);
      if (to !== from && (to.isCut || from.isCut)) return "silence";
      const met = this.nodes.find(({ name }) => name === fact.node)?.connect(fact) ?? "silence";
      if (typeof met === "string" || to === from) return met;
      const ask = async (answerMs: number) => {
        const isAnswered = await met.ask(answerMs);
        await new Promise<void>((resolve) => to.pass(() => from.pass(resolve)));
        return isAnswered;
      };
      return { pod: fact, ask };
    }
    return "no route";
  }

  /** Refusals of the API are the controllers' daily life, and while writes fail anything may; the rest is a bug. */
  #reported(what: string, error: unknown): void {
    if (error instanceof ApiError || this.object.conditions.writesFail) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.fail(new Violation("the-object-throws-nothing", `${what}: ${text}`));
  }
}

const REFUSED: Answer = {
  code: 503,
  headers: new Headers(),
  text: JSON.stringify({ kind: "Status", status: "Failure", code: 503, reason: "ServiceUnavailable" }),
  connection: undefined,
};

/** Bodies go in as they are: to quote them within JSON again costs more than all the rest. */
function digestOf(observation: Observation): string {
  if (observation.type !== "commit") return `${JSON.stringify(observation)}\n`;
  const changes = observation.changes.map(({ revision, type, json }) => `${revision} ${type} ${json}`);
  return `${observation.at} ${changes.join("\n")}\n`;
}
