/** WebSockets, and whatever else takes a connection over: both sides are joined once the program agrees. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Endpoint, Protocol } from "../../worker/kinds/ingress/backends.ts";
import type { Timers } from "../effects.ts";
import { afterUpgrade, http1Client } from "./clients.ts";
import { type Ask, Unreachable } from "./exchange.ts";
import { type Forwarder, refuse } from "./forwarder.ts";
import { endToEnd, type Pairs, pairs, valuesOf } from "./headers.ts";
import { HttpDialer, reasonOf } from "./http-dialer.ts";
import { hasBody, Refusal } from "./target.ts";

/** What would lead later requests past the rules: HTTP/2 inside of HTTP/1. */
const NOT_PASSED_ON = new Set(["h2c"]);
const KEEP_ALIVE_MS = 30_000;

type Joining = {
  client: ReturnType<typeof http1Client>;
  socket: Duplex;
  /** What has come after the request. */
  early: Buffer;
  answered(status: number): void;
};

export class Upgrades {
  readonly #forwarder: Forwarder;
  readonly #dialers: Record<"http" | "https", HttpDialer>;

  constructor(forwarder: Forwarder, timers: Timers) {
    this.#forwarder = forwarder;
    this.#dialers = { http: new HttpDialer(false, timers), https: new HttpDialer(true, timers) };
  }

  async serve(request: IncomingMessage, socket: Duplex, early: Buffer, listener: number): Promise<void> {
    socket.on("error", () => {}); // it closes
    const protocol = request.headers.upgrade ?? "";
    const isPlain = NOT_PASSED_ON.has(protocol.trim().toLowerCase());
    const client = http1Client(request, afterUpgrade(request, socket), listener);
    if (isPlain && !client.body) return this.#forwarder.serve(client);
    try {
      if (client.body || hasBody(client.headers)) throw new Refusal(400, "a request for another protocol has no body");
      const routed = this.#forwarder.routed(client);
      const { route } = routed;
      const ask = this.#forwarder.askOf(client, routed);
      const headers: Pairs = [...ask.headers, ["Connection", "Upgrade"], ["Upgrade", protocol]];
      const gone = new AbortController();
      socket.once("close", () => gone.abort());
      const asking = { method: client.method, headers: client.headers, gone: gone.signal };
      await this.#forwarder.overEndpoints(route, asking, async (endpoint, spoken, count) => {
        if (socket.destroyed) return;
        const answered = (status: number) => count.answered(status);
        await this.#join(endpoint, spoken, { ...ask, headers }, { client, socket, early, answered });
      });
    } catch (error) {
      refuse(client, error);
    }
  }

  async #join(
    endpoint: Endpoint,
    spoken: Protocol,
    ask: Ask,
    { client, socket, early, answered: tell }: Joining,
  ): Promise<void> {
    const dialer = this.#dialers[spoken === "https" ? "https" : "http"];
    const request = dialer.open(endpoint, ask, false);
    const answered = answerTo(request);
    answered.catch(() => {}); // it may fail before anyone asks for it
    const close = () => request.destroy();
    socket.once("close", close);
    request.end();
    await dialer.connected(request);
    const answer = await answered.catch((error) => {
      // Nothing has come back, and a handshake may be asked for twice.
      throw new Unreachable(reasonOf(error as Error));
    });
    tell(answer.response.statusCode ?? 502);
    if (!answer.program) {
      const { response } = answer;
      client.head(
        response.statusCode ?? 502,
        response.statusMessage ?? "",
        endToEnd(pairs(response.rawHeaders)),
        false,
      );
      response.pipe(client.out);
      return closed(socket);
    }
    await joined(socket as Socket, early, answer.response, answer.program, answer.first);
  }
}

type Answered = { response: IncomingMessage; program?: Socket; first: Buffer };

function answerTo(request: ClientRequest): Promise<Answered> {
  return new Promise((resolve, reject) => {
    request.once("upgrade", (response, program, first) => resolve({ response, program: program as Socket, first }));
    request.once("response", (response) => resolve({ response, first: Buffer.alloc(0) }));
    request.on("error", reject);
  });
}

const closed = (socket: Duplex): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });

/** Resolves when both have ended. */
async function joined(
  client: Socket,
  early: Buffer,
  { statusMessage, rawHeaders }: IncomingMessage,
  program: Socket,
  first: Buffer,
): Promise<void> {
  const headers = pairs(rawHeaders);
  const lines = [
    `HTTP/1.1 101 ${statusMessage}`,
    "Connection: Upgrade",
    ...valuesOf(headers, "upgrade").map((value) => `Upgrade: ${value}`),
    ...endToEnd(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (first.length > 0) client.write(first);
  if (early.length > 0) program.write(early);
  for (const [from, to] of [
    [client, program],
    [program, client],
  ] as const) {
    from.setTimeout(0);
    from.setNoDelay(true);
    from.setKeepAlive(true, KEEP_ALIVE_MS);
    from.on("error", () => to.destroy());
    from.once("close", () => to.destroySoon());
    from.pipe(to);
  }
  await Promise.all([closed(client), closed(program)]);
}
