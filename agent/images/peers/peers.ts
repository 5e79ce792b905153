/** Other nodes of this node's own networks, as far as they may have parts of images. */
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { type BlockList, isIP, type Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { CoreV1Node } from "../../../worker/kinds/generated/types.ts";
import { TICKET_HEADER } from "../../../worker/lib/blob-tickets.ts";
import type { Effects } from "../../../worker/lib/effects.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import { afterPoll, type Timers } from "../../effects.ts";
import { blobPath } from "./giver.ts";

export type Peer = { node: string; address: string; port: number };

export type PeersParts = {
  /** This node's own name. */
  node: string;
  nodes(): Iterable<CoreV1Node>;
  networks(): BlockList;
  /** PEM of the cluster's CA; "" until the cluster has said. */
  authority(): string;
  effects: Effects & Timers;
  log(message: string): void;
};

/** So many are asked for one blob, by chance. */
const MOST_ASKED = 6;
/** A machine of a LAN that is there takes a connection at once; the program on it may be busy. */
const CONNECT_MS = 1_000;
const ANSWER_MS = 5_000;
/** A body of which less comes in so long is slower than the registry's. */
const LEAST = { bytes: 2_560_000, ms: 10_000 };
/** Who did not answer is not asked again for so long, and each time that it did not for twice as long. */
const AVOIDED_MS = { first: 60_000, most: 15 * 60_000 };

export class Peers {
  readonly #parts: PeersParts;
  readonly #agent = new Agent({ keepAlive: true });
  /** By node. */
  readonly #avoided = new Map<string, { until: number; ms: number }>();

  constructor(parts: PeersParts) {
    this.#parts = parts;
  }

  /** Some of those that may be asked now. */
  near(): Peer[] {
    const { node: own, nodes, networks, effects } = this.#parts;
    const ours = networks();
    const all = [...nodes()].flatMap(({ metadata, status }): Peer[] => {
      const node = metadata?.name ?? "";
      const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
      if (node === own || port === 0 || (this.#avoided.get(node)?.until ?? 0) > effects.now()) return [];
      const address = status?.addresses?.find(
        ({ type, address: one }) =>
          type === "InternalIP" && isIP(one) !== 0 && ours.check(one, isIP(one) === 6 ? "ipv6" : "ipv4"),
      )?.address;
      return address === undefined ? [] : [{ node, address, port }];
    });
    return all
      .map((peer) => ({ peer, place: effects.random() }))
      .toSorted((a, b) => a.place - b.place)
      .slice(0, MOST_ASKED)
      .map(({ peer }) => peer);
  }

  /** A blob of so many bytes, from whoever says first to have it; undefined where nobody does. */
  async fetch(
    digest: string,
    size: number,
    ticket: string,
  ): Promise<{ from: Peer; body: IncomingMessage } | undefined> {
    const has = async (peer: Peer) => {
      const { statusCode, headers } = await this.#ask("HEAD", peer, digest, ticket);
      if (statusCode !== 200 || Number(headers["content-length"]) !== size) throw new Error("has it not");
      return peer;
    };
    const from: Peer | undefined = await Promise.any(this.near().map(has)).catch(() => undefined);
    if (!from) return undefined;
    const body = await this.#ask("GET", from, digest, ticket).catch(() => undefined);
    if (body?.statusCode !== 200) {
      body?.destroy();
      return undefined;
    }
    body.once("end", () => this.#avoided.delete(from.node));
    this.#endSlow(body);
    return { from, body };
  }

  /** It does not give what it should, or nothing: others are asked for a while. */
  avoid({ node }: Peer, why: string): void {
    const { effects, log } = this.#parts;
    const { until = 0, ms: before = AVOIDED_MS.first / 2 } = this.#avoided.get(node) ?? {};
    if (until > effects.now()) return;
    const ms = Math.min(before * 2, AVOIDED_MS.most);
    this.#avoided.set(node, { until: effects.now() + ms, ms });
    log(`images: none from node ${node} for ${ms / 1000} s: ${why}`);
  }

  /** Rejects where it is not that node, or does not answer. */
  async #ask(method: "HEAD" | "GET", peer: Peer, digest: string, ticket: string): Promise<IncomingMessage> {
    try {
      const answer = await this.#request(method, peer, digest, ticket);
      if (method === "HEAD") answer.resume();
      return answer;
    } catch (error) {
      this.avoid(peer, errorText(error));
      throw error;
    }
  }

  #request(method: string, { node, address, port }: Peer, digest: string, ticket: string): Promise<IncomingMessage> {
    const { authority } = this.#parts;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const call = request({
      method,
      host: address,
      port,
      path: blobPath(digest),
      headers: { [TICKET_HEADER]: ticket },
      agent: this.#agent,
      ca: authority(),
      checkServerIdentity: (host, certificate) =>
        otherThan(node, certificate) ?? checkServerIdentity(host, certificate),
    });
    const giveUp = (ms: number, why: string) => this.#after(ms, () => call.destroy(new Error(why)));
    const ends = [giveUp(ANSWER_MS, `no answer in ${ANSWER_MS / 1000} s`)];
    const end = () => {
      for (const cancel of ends) cancel();
    };
    call.once("socket", (socket: Socket) => {
      if (!socket.connecting) return;
      const cancel = giveUp(CONNECT_MS, `${address} is not reached in ${CONNECT_MS / 1000} s`);
      ends.push(cancel);
      socket.once("connect", cancel);
    });
    call.once("response", (answer) => {
      end();
      resolve(answer);
    });
    call.on("error", (error) => {
      end();
      reject(error);
    });
    call.end();
    return promise;
  }

  /** Destroys a body as soon as too little of it comes, unless it waits for who reads it. */
  #endSlow(body: IncomingMessage): void {
    const { socket } = body;
    let before = socket.bytesRead;
    const look = () => {
      const came = socket.bytesRead - before;
      before += came;
      if (came < LEAST.bytes && !body.isPaused() && body.readableLength === 0)
        body.destroy(new Error(`${came} bytes came in ${LEAST.ms / 1000} s`));
      else cancel = this.#after(LEAST.ms, look);
    };
    let cancel = this.#after(LEAST.ms, look);
    body.once("close", () => cancel());
  }

  /** What came in time counts, also where this process was too busy to see it. */
  #after(ms: number, body: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#parts.effects.after(ms, () => afterPoll(() => isCancelled || body()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}

/** A certificate of the node's own API is for that node. */
function otherThan(node: string, { subject }: PeerCertificate): Error | undefined {
  return subject.CN === `system:node:${node}` ? undefined : new Error(`another than node ${node} answers`);
}
