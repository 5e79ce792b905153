/**
 * The Worker as visitors of apps meet it: the real choice of where a request goes, and the Cluster object's, over modelled
 * Relays. A stream joins the edge and an agent once both have come.
 */
import { led, type Reached } from "../../../worker/edge/leading.ts";
import { INTERNAL_HEADER } from "../../../worker/lib/internal-headers.ts";
import type { EdgeAnswer, EdgeQuestion } from "../../../worker/protocol/ingress.ts";
import { NODE_DID_NOT_COME } from "../../../worker/protocol/proxy.ts";
import type { EdgeStreams, Visit, Visitor } from "../contract.ts";
import type { Place } from "./network.ts";
import { between, type Random, stream } from "./random.ts";
import type { World } from "./world.ts";

/** How long one end waits for the other, ms. */
const JOIN_MS = 15_000;
const NO_ANSWER: Reached = { unreachable: "the node did not answer" };
/** One who has waited so long is not held any more, ms. */
const PATIENCE_MS = 1_000_000;
const MAX_ENDPOINTS = 20;

type App = Extract<EdgeAnswer, { to: "app" }>;
type Serve = (visit: Visit & Visitor) => Promise<string | undefined>;
type Agent = { place: Place; serve: Serve };

export class Edge {
  readonly #world: Pick<World, "clock" | "network" | "object" | "observe">;
  readonly #random: Random;
  /** Streams for which one end waits. */
  readonly #waiting = new Map<string, (agent: Agent) => void>();
  readonly #come = new Map<string, Agent>();
  /** What ends the streams that are open, by the node's place. */
  readonly #open = new Map<() => void, Place>();
  #visits = 0;

  constructor(world: Pick<World, "clock" | "network" | "object" | "observe" | "seed">) {
    this.#world = world;
    this.#random = stream(world.seed, "edge");
  }

  async visit(visitor: Visitor): Promise<void> {
    const { host, method, hasBody } = visitor;
    const visit: Visit = { visit: `edge ${++this.#visits}`, node: "edge", host, method };
    this.#tell(visit, { state: "begun" });
    const request = new Request(`https://${host}/`, {
      method,
      ...(hasBody && { body: "words", headers: { "content-length": "5" } }),
    });
    const answer = await led(request, {
      now: () => this.#world.clock.now,
      ask: (so) => this.#ask(host, method, so),
      reach: (said, body) => this.#reach({ ...visitor, ...visit }, said, body),
      forApi: () => {},
    }).catch(() => new Response(null, { status: 503 })); // as the Worker says that the cluster does not answer
    this.#tell(visit, { state: "ended", status: answer?.status ?? 404 });
  }

  /** Asks until no endpoint is left. */
  async look(host: string): Promise<void> {
    const tried: string[] = [];
    while (tried.length < MAX_ENDPOINTS) {
      const said = await this.#ask(host, "GET", { tried, waitedMs: PATIENCE_MS, isPage: false });
      if (said.to !== "app") break;
      tried.push(addressOf(said));
    }
    const addresses = tried.map((each) => each.replace(/:\d+$/, ""));
    this.#world.observe({ at: this.#world.clock.now, type: "led", host, addresses });
  }

  /** All streams break, as when the Relays go. */
  tear(): void {
    for (const end of [...this.#open.keys()]) this.#after(end);
  }

  streamsOf(place: Place): EdgeStreams {
    return {
      come: (id, serve) => {
        if (this.#world.network.loses()) return;
        this.#after(() => place.pass(() => this.#arrived(id, { place, serve })));
      },
      reset: () => {
        for (const [end, of] of [...this.#open]) if (of === place) this.#after(() => place.pass(end));
      },
    };
  }

  #arrived(id: string, agent: Agent): void {
    const meet = this.#waiting.get(id);
    if (meet) return meet(agent);
    this.#come.set(id, agent);
    this.#world.clock.after(JOIN_MS, () => this.#come.delete(id));
  }

  /** What the Cluster object says; it is a hop within the platform, on which nothing gets lost. */
  #ask(host: string, method: string, so: Pick<EdgeQuestion, "tried" | "waitedMs" | "isPage">): Promise<EdgeAnswer> {
    const { object, clock } = this.#world;
    const question: EdgeQuestion = { host, path: "/", isSecure: true, method, ...so };
    const headers = { [INTERNAL_HEADER]: "ingress" };
    const { promise, resolve, reject } = Promise.withResolvers<EdgeAnswer>();
    const hop = (body: () => void) => void clock.after(between(this.#random, 1, 5), body);
    const refuse = () => hop(() => reject(new Error("the object is no more")));
    hop(() => {
      if (object.conditions.refused) return refuse();
      const request = new Request("https://cluster/", { method: "POST", headers, body: JSON.stringify(question) });
      object.fetch(request, ({ text }) => hop(() => resolve(JSON.parse(text) as EdgeAnswer)), refuse);
    });
    return promise;
  }

  async #reach(visit: Visit & Visitor, said: App, body: () => Promise<unknown>): Promise<Reached> {
    this.#tell(visit, { state: "sent", address: addressOf(said).replace(/:\d+$/, "") });
    const agent = await this.#agentOf(said.grant.stream.id);
    await body();
    if (!agent) return { unreachable: NODE_DID_NOT_COME };
    const { promise, resolve } = Promise.withResolvers<Reached>();
    const end = () => resolve(NO_ANSWER);
    this.#open.set(end, agent.place);
    const cancel = this.#world.clock.after(said.timeoutMs, () =>
      resolve({ answer: new Response(null, { status: 504 }) }),
    );
    const pass = (body: () => void) => this.#after(() => agent.place.pass(body));
    pass(async () => {
      if (!this.#open.has(end)) return;
      const unreachable = await agent.serve(visit);
      const prefix = "error trying to reach service: ";
      pass(() => resolve(unreachable ? { unreachable: prefix + unreachable } : { answer: new Response(null) }));
    });
    const reached = await promise;
    cancel();
    this.#open.delete(end);
    return reached;
  }

  #agentOf(id: string): Promise<Agent | undefined> {
    const there = this.#come.get(id);
    this.#come.delete(id);
    if (there) return Promise.resolve(there);
    return new Promise((resolve) => {
      const settle = (agent?: Agent) => {
        cancel();
        this.#waiting.delete(id);
        resolve(agent);
      };
      const cancel = this.#world.clock.after(JOIN_MS, () => settle());
      this.#waiting.set(id, settle);
    });
  }

  #after(body: () => void): void {
    const { least, most } = this.#world.network.weather.delay;
    this.#world.clock.after(between(this.#random, least, most), body);
  }

  #tell(
    { visit, node, host, method }: Visit,
    what: { state: "begun" | "sent" | "ended"; address?: string; status?: number },
  ): void {
    this.#world.observe({ at: this.#world.clock.now, type: "visit", visit, node, host, method, ...what });
  }
}

function addressOf({ grant: { stream: granted } }: App): string {
  if (granted.kind !== "proxy") throw new Error(`the edge has ${granted.kind}`);
  return `${granted.address}:${granted.port}`;
}
