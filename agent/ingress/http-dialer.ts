/** Programs that speak HTTP/1.1, in the clear or over TLS. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { Endpoint } from "../../worker/kinds/ingress/backends.ts";
import type { Timers } from "../effects.ts";
import { addressOf } from "./balancer.ts";
import { type Answer, type Ask, type Dialer, type Outgoing, Unreachable } from "./exchange.ts";
import { pairs } from "./headers.ts";

const CONNECT_MS = 3_000;
/** Of connections that wait for another request. */
const IDLE_MS = 15_000;
const MAX_IDLE_PER_ENDPOINT = 64;

export class HttpDialer implements Dialer {
  readonly #isSecure: boolean;
  readonly #timers: Timers;
  readonly #pool: HttpAgent;

  constructor(isSecure: boolean, timers: Timers) {
    this.#isSecure = isSecure;
    this.#timers = timers;
    const options = { keepAlive: true, maxFreeSockets: MAX_IDLE_PER_ENDPOINT, timeout: IDLE_MS };
    this.#pool = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
  }

  dial(endpoint: Endpoint, ask: Ask): Promise<Outgoing> {
    const request = this.open(endpoint, ask, ask.isRepeatable);
    const answer = new Promise<Answer>((resolve, reject) => {
      request.once("response", (response) => resolve(answerOf(response)));
      request.on("error", reject);
    });
    answer.catch(() => {}); // it may fail before anyone asks for it
    if (!ask.hasBody) request.end();
    return this.connected(request).then(() => ({ body: request, answer, destroy: () => void request.destroy() }));
  }

  /** A request that has not been sent. `reuses` a connection, where one waits. */
  open({ address, port }: Endpoint, { method, url, headers, host, hasBody }: Ask, reuses: boolean): ClientRequest {
    const isFramed = headers.some(([name]) => name.toLowerCase() === "content-length");
    const framing = hasBody && !isFramed ? [["transfer-encoding", "chunked"]] : [];
    const request = (this.#isSecure ? httpsRequest : httpRequest)({
      host: address,
      port,
      method,
      path: url,
      headers: [...headers, ...framing].flat(),
      agent: reuses ? this.#pool : false,
      // Who says https trusts the cluster's network, not a certificate of a pod.
      rejectUnauthorized: false,
      servername: /[a-z]/i.test(host) ? host : "",
    });
    request.setNoDelay(true);
    return request;
  }

  /** Resolves when the program has taken the connection; the request is destroyed where it has not. */
  connected(request: ClientRequest): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        cancel();
        reject(new Unreachable(reasonOf(error)));
      };
      const cancel = this.#timers.after(CONNECT_MS, () => request.destroy(new Error("no connection in 3 s")));
      request.once("error", fail);
      request.once("close", () => fail(new Error("closed")));
      request.once("socket", (socket) => {
        const ready = () => {
          cancel();
          request.off("error", fail);
          socket.setTimeout(0);
          resolve(socket);
        };
        if (socket.connecting) socket.once(this.#isSecure ? "secureConnect" : "connect", ready);
        else ready();
      });
    });
  }

  retain(endpoints: ReadonlySet<string>): void {
    for (const [name, sockets] of Object.entries(this.#pool.freeSockets)) {
      const [address = "", port = ""] = name.split(":");
      if (!endpoints.has(addressOf({ address, port: Number(port) })))
        for (const socket of sockets ?? []) socket.destroy();
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ECONNRESET: "connection reset",
};

export const reasonOf = (error: NodeJS.ErrnoException): string => REASONS[error.code ?? ""] ?? error.message;

function answerOf(response: IncomingMessage): Answer {
  return {
    status: response.statusCode ?? 502,
    reason: response.statusMessage ?? "",
    headers: pairs(response.rawHeaders),
    body: response,
    trailers: () => pairs(response.rawTrailers),
  };
}
