import { createSocket, type Socket } from "node:dgram";
import type { Effects } from "../../../worker/lib/effects.ts";
import type { Timers } from "../../effects.ts";
import {
  BINDING_ANSWER,
  BINDING_REQUEST,
  type Endpoint,
  endpointOf,
  isWhole,
  parseEndpoint,
  parseServer,
  readStun,
  type StunMessage,
  writeStun,
} from "./stun.ts";

export type ChecksOptions = {
  nodeName: string;
  /** `host:port` of STUN servers. */
  servers: readonly string[];
  effects: Effects & Timers;
  /** What this node and another alone can know; undefined for one that is not known. */
  secretOf(node: string): Buffer | undefined;
  /** An address of this machine. */
  isOwn(endpoint: Endpoint): boolean;
  onAnswer(node: string, from: Endpoint, roundTripMs: number): void;
  onAsked(node: string, from: Endpoint): void;
};

/** What is waited for: the answer of a node, or of a server. */
type Asked = { node?: string; to: Endpoint | undefined; at: number; answered?(): void };

/** A check that is not answered by then never is. */
const FORGET_MS = 5_000;
const SERVER_TRIES_MS = [0, 250, 750];
const SERVER_PATIENCE_MS = 1_500;
/** What outsiders saw this node as counts for so long: NATs forget, too. */
const SEEN_MS = 60_000;

/**
 * The socket of checks. What it sends leaves by WireGuard's port, and what comes to that port as STUN comes here
 * (`device.ts`): so a check tells, and keeps open, exactly the way that WireGuard's packets then go.
 */
export class Checks {
  readonly #options: ChecksOptions;
  readonly #asked = new Map<string, Asked>();
  #socket: Socket | undefined;
  /** By what it was seen as: when, ms. */
  readonly #seen = new Map<Endpoint, number>();

  constructor(options: ChecksOptions) {
    this.#options = options;
  }

  /** Resolves to the port that it listens on: another one where the wanted one is taken. */
  listen(port: number): Promise<number> {
    return this.#bind(port).catch(() => this.#bind(0));
  }

  async #bind(port: number): Promise<number> {
    const socket = createSocket("udp4");
    socket.on("message", (bytes, { address, port }) => this.#receive(bytes, endpointOf(address, port)));
    socket.on("error", () => {}); // what cannot be sent is not answered
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, () => resolve());
    });
    this.#socket = socket;
    return socket.address().port;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Asks a node whether it is there. */
  check(node: string, endpoint: Endpoint): void {
    const key = this.#options.secretOf(node);
    if (!key || !parseEndpoint(endpoint)) return;
    const transaction = this.#begin({ node, to: endpoint, at: this.#options.effects.now() });
    this.#send(writeStun({ type: BINDING_REQUEST, transaction, username: this.#options.nodeName }, key), endpoint);
  }

  /** What outsiders see this node's port as: servers that are asked now, and other nodes since then, ms; or in the last minute. */
  async seen(since = this.#options.effects.now() - SEEN_MS): Promise<Endpoint[]> {
    const { servers } = this.#options;
    await Promise.all(servers.map((server) => this.#askServer(server)));
    for (const [endpoint, at] of this.#seen) if (at < since) this.#seen.delete(endpoint);
    return [...this.#seen.keys()];
  }

  #askServer(server: string): Promise<void> {
    const { effects } = this.#options;
    const to = parseServer(server);
    if (!to) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const transaction = this.#begin({ to: undefined, at: effects.now(), answered: resolve });
    const message = writeStun({ type: BINDING_REQUEST, transaction });
    const cancels = [
      ...SERVER_TRIES_MS.map((ms) => effects.after(ms, () => this.#socket?.send(message, to.port, to.host, () => {}))),
      effects.after(SERVER_PATIENCE_MS, resolve),
    ];
    return promise.then(() => {
      for (const cancel of cancels) cancel();
    });
  }

  #begin(asked: Asked): string {
    const { effects } = this.#options;
    for (const [transaction, { at }] of this.#asked) {
      if (asked.at - at <= FORGET_MS) break; // what follows is younger
      this.#asked.delete(transaction);
    }
    const transaction = effects.uid().replaceAll("-", "").slice(0, 24);
    this.#asked.set(transaction, asked);
    return transaction;
  }

  #send(message: Buffer, endpoint: Endpoint): void {
    const to = parseEndpoint(endpoint);
    if (to) this.#socket?.send(message, to.port, to.address, () => {}); // an error is told as no answer would be
  }

  #receive(bytes: Buffer, from: Endpoint): void {
    if (!parseEndpoint(from)) return; // anyone may send from port 0, and nobody can be answered there
    const message = readStun(bytes);
    if (message?.type === BINDING_REQUEST) this.#answer(message, bytes, from);
    if (message?.type === BINDING_ANSWER) this.#answered(message, bytes, from);
  }

  /** Nodes of the cluster are answered, and nobody else. */
  #answer({ transaction, username = "" }: StunMessage, bytes: Buffer, from: Endpoint): void {
    const { secretOf, onAsked } = this.#options;
    const key = secretOf(username);
    if (!key || !isWhole(bytes, key)) return;
    this.#send(writeStun({ type: BINDING_ANSWER, transaction, mapped: from }, key), from);
    onAsked(username, from);
  }

  #answered({ transaction, mapped }: StunMessage, bytes: Buffer, from: Endpoint): void {
    const { effects, secretOf, isOwn, onAnswer } = this.#options;
    const asked = this.#asked.get(transaction);
    if (!asked) return;
    const { node, to, at } = asked;
    const key = node === undefined ? undefined : secretOf(node);
    if (node !== undefined && !(key && to === from && isWhole(bytes, key))) return;
    this.#asked.delete(transaction);
    asked.answered?.();
    // Who is on the same network sees what everyone there does.
    if (mapped && parseEndpoint(mapped) && !isOwn(mapped)) this.#seen.set(mapped, effects.now());
    if (node !== undefined) onAnswer(node, from, effects.now() - at);
  }
}
