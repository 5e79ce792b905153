/** Connections to programs, from a proxy or from an agent: what comes of each is the world's affair. */
import { Writable } from "node:stream";
import { addressOf } from "../../../agent/ingress/balancer.ts";
import { type Answer, type Ask, type Dialer, type Outgoing, Unreachable } from "../../../agent/ingress/exchange.ts";
import { valuesOf } from "../../../agent/ingress/headers.ts";
import type { Endpoint } from "../../../worker/kinds/ingress/backends.ts";
import type { ContainerFact, Met, Visit, Visitor } from "../contract.ts";
import { between } from "../world/random.ts";
import type { Machine } from "./machine.ts";

/** As headers write it down: which visit a request is of. */
export const VISIT_HEADER = "X-Visit";
/** Nobody waits longer for a connection, ms. */
const CONNECT_MS = 3_000;

const ANSWER: Answer = { status: 200, reason: "OK", headers: [], body: undefined, trailers: () => [] };

/** What came of a connection: the program has it, or why it was not taken. */
type Connected = Exclude<Met, string> | "connection refused" | "no route to host" | "i/o timeout";

export type DialerParts = {
  reach(address: string): Met;
  /** A proxy of the node's has chosen an endpoint. */
  sent(visit: Visit, address: string): void;
  reached(visit: Visit, pod: ContainerFact): void;
};

export class ModelDialer implements Dialer {
  readonly #machine: Machine;
  readonly #parts: DialerParts;

  constructor(machine: Machine, parts: DialerParts) {
    this.#machine = machine;
    this.#parts = parts;
  }

  /** As the proxy of the node has it. */
  async dial(endpoint: Endpoint, ask: Ask): Promise<Outgoing> {
    const visit = JSON.parse(valuesOf(ask.headers, VISIT_HEADER.toLowerCase())[0] ?? "{}") as Visit & Visitor;
    this.#parts.sent(visit, endpoint.address);
    const met = await this.#connected(endpoint.address);
    if (typeof met === "string") throw new Unreachable(met);
    this.#parts.reached(visit, met.pod);
    const answer = met.ask(visit.answerMs).then((isAnswered) => {
      if (isAnswered) return ANSWER;
      throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    });
    answer.catch(() => {}); // it may fail before anyone asks for it
    return { body: new Writable({ write: (_chunk, _encoding, done) => done() }), answer, destroy: () => {} };
  }

  retain(): void {}

  /** As the agent has it, for the edge: why there is no answer, in its words. */
  async serve(endpoint: Endpoint, visit: Visit & Visitor): Promise<string | undefined> {
    const met = await this.#connected(endpoint.address);
    if (met === "i/o timeout") return `dial tcp ${addressOf(endpoint)}: ${met}`;
    if (typeof met === "string") return `dial tcp ${addressOf(endpoint)}: connect: ${met}`;
    this.#parts.reached(visit, met.pod);
    return (await met.ask(visit.answerMs)) ? undefined : "EOF";
  }

  async #connected(address: string): Promise<Connected> {
    const { life, random } = this.#machine;
    await life.effects.sleep(between(random, 1, 30));
    const met = this.#parts.reach(address);
    if (met === "refused") return "connection refused";
    if (met === "no route") return "no route to host";
    if (met !== "silence") return met;
    await life.effects.sleep(CONNECT_MS);
    return "i/o timeout";
  }
}
