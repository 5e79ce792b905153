import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { decode } from "dns-packet";
import type { Effects } from "../../../worker/lib/effects.ts";
import type { Timers } from "../../effects.ts";

const TIMEOUT_MS = 2_000;
const ROUNDS = 2;
const MAX_UNDER_WAY = 512;
const CACHE_ENTRIES = 2_000;
/** Answers are handed on with the lifetime they came with, so they are kept only briefly. */
const MAX_CACHED_MS = 10_000;
const DNS_PORT = 53;

export type Transport = "udp" | "tcp";

/** The node's resolvers, with a small cache of what they said. */
export class Upstream {
  readonly #effects: Effects & Timers;
  readonly #servers: () => readonly string[];
  readonly #port: number;
  readonly #cache = new Map<string, { answer: Buffer; until: number }>();
  #underWay = 0;

  /** `servers` is asked each time, since a machine that changes its network changes them. */
  constructor(options: { effects: Effects & Timers; servers: () => readonly string[]; port?: number }) {
    this.#effects = options.effects;
    this.#servers = options.servers;
    this.#port = options.port ?? DNS_PORT;
  }

  /** Passes on a question as it came. Undefined when no resolver answers in time. */
  async ask(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const key = `${transport}/${query.subarray(2).toString("latin1")}`;
    const cached = this.#cache.get(key);
    if (cached && cached.until > this.#effects.now()) return withId(cached.answer, query.readUInt16BE(0));
    if (this.#underWay >= MAX_UNDER_WAY) return undefined;
    this.#underWay += 1;
    try {
      const answer = await this.#askAll(query, transport);
      if (answer) this.#keep(key, answer);
      return answer;
    } finally {
      this.#underWay -= 1;
    }
  }

  async #askAll(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const servers = this.#servers();
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of servers) {
        const id = Math.floor(this.#effects.random() * 0x10000);
        const ask = transport === "udp" ? askOverUdp : askOverTcp;
        const answer = await ask(withId(query, id), server, this.#port, this.#effects).catch(() => undefined);
        if (answer) return withId(answer, query.readUInt16BE(0));
      }
    }
    return undefined;
  }

  #keep(key: string, answer: Buffer): void {
    const lifetime = lifetimeMs(answer);
    if (lifetime === 0) return;
    this.#cache.delete(key);
    this.#cache.set(key, { answer, until: this.#effects.now() + lifetime });
    const oldest = this.#cache.keys().next().value;
    if (this.#cache.size > CACHE_ENTRIES && oldest !== undefined) this.#cache.delete(oldest);
  }
}

/** Milliseconds for which an answer may be kept: 0 for failures and cut answers. */
export function lifetimeMs(answer: Buffer): number {
  const flags = answer.readUInt16BE(2);
  const rcode = flags & 0xf;
  if (flags & 0x200 || (rcode !== 0 && rcode !== 3)) return 0;
  try {
    const { answers = [], authorities = [] } = decode(answer);
    const lifetimes = [...answers, ...authorities].flatMap((record) => ("ttl" in record ? [record.ttl ?? 0] : []));
    return lifetimes.length ? Math.min(MAX_CACHED_MS, Math.min(...lifetimes) * 1000) : 0;
  } catch {
    return 0;
  }
}

function withId(packet: Buffer, id: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function askOverUdp(query: Buffer, server: string, port: number, timers: Timers): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
    let finished = false;
    const finish = (end: () => void) => {
      if (finished) return;
      finished = true;
      cancel();
      socket.close();
      end();
    };
    const cancel = timers.after(TIMEOUT_MS, () => finish(() => reject(new Error("no answer in time"))));
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("message", (answer) => {
      if (answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0)) finish(() => resolve(answer));
    });
    // Connected, so that the kernel takes answers from this server only.
    socket.connect(port, server, (error?: Error) => {
      if (error) finish(() => reject(error));
      else socket.send(query);
    });
  });
}

function askOverTcp(query: Buffer, server: string, port: number, timers: Timers): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, server);
    let received = Buffer.alloc(0);
    const finish = (end: () => void) => {
      cancel();
      socket.destroy();
      end();
    };
    const cancel = timers.after(TIMEOUT_MS, () => finish(() => reject(new Error("no answer in time"))));
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("close", () => finish(() => reject(new Error("closed without an answer"))));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(() => (answer.length >= 12 ? resolve(answer) : reject(new Error("short answer"))));
    });
    socket.write(framed(query));
  });
}

/** A message as TCP carries it, after its length (RFC 1035 §4.2.2). */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(2 + message.length);
  frame.writeUInt16BE(message.length, 0);
  frame.set(message, 2);
  return frame;
}
