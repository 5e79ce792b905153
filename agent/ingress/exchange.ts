/** One request and its answer, whichever HTTP is spoken on either side: what passes between clients and programs. */
import type { Readable, Writable } from "node:stream";
import type { Endpoint } from "../../worker/kinds/ingress/backends.ts";
import type { Arrival, Pairs } from "./headers.ts";

/** A client that waits for an answer. */
export type Client = {
  method: string;
  /** As it came, with `host` also where HTTP/2 calls it `:authority`. */
  headers: Pairs;
  /** `/path?query`, or what else the client wrote there. */
  target: string;
  /** `1.0`, `1.1`, `2`. */
  version: string;
  arrival: Arrival;
  /** Undefined where there is none. */
  body: Readable | undefined;
  /** Begins the answer; `isEmpty` where it has no body. */
  head(status: number, reason: string, headers: Pairs, isEmpty: boolean): void;
  /** Where the answer's body goes. */
  out: Writable;
  /** The answer is whole. */
  end(trailers: Pairs): void;
  /** It will never be. */
  abort(): void;
  /** Calls `body` when the client has gone or has its answer. */
  onClose(body: () => void): void;
};

export type Ask = {
  method: string;
  url: string;
  headers: Pairs;
  /** The name that the client asked by. */
  host: string;
  hasBody: boolean;
  /** May be asked twice, so that a connection which the program is just closing does no harm. */
  isRepeatable: boolean;
};

export type Answer = {
  status: number;
  reason: string;
  headers: Pairs;
  /** Undefined where there is none. */
  body: Readable | undefined;
  /** Complete when the body has ended. */
  trailers(): Pairs;
};

/** A request on its way to a program. */
export type Outgoing = {
  /** Where the request's body goes; ended by whoever writes it. */
  body: Writable;
  /** Rejects when none comes. */
  answer: Promise<Answer>;
  destroy(): void;
};

/** Nothing was sent: another endpoint may be asked, whatever the request. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Reaches programs by one protocol. */
export type Dialer = {
  /** Resolves when the program has taken the connection. Rejects with `Unreachable`. */
  dial(endpoint: Endpoint, ask: Ask): Promise<Outgoing>;
  /** Endpoints other than these, as `ADDRESS:PORT`, get nothing new: connections that wait for more are let go. */
  retain(endpoints: ReadonlySet<string>): void;
};
