import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { createServer, request as httpsRequest, type Server } from "node:https";
import type { Socket } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { ApiError } from "../../worker/lib/status.ts";
import { HOP_BY_HOP } from "../../worker/protocol/proxy.ts";
import { agentTrusting } from "../trust.ts";

export type ApiForwarderOptions = {
  /** The cluster's API with its path: `https://host/clusters/NAME`. */
  upstream: URL;
  /** PEM of what signs the upstream's certificate, where that is no public CA. */
  ca?: string;
  /** PEM of what is served to pods. */
  certificate: string;
  key: string;
};

/** Not 443: who listens there on all of the machine's addresses, as ingress proxies do, could not while this has it on one. */
const PREFERRED_PORT = 16_443;
const CONNECT_MS = 10_000;
const IDLE_CLIENT_MS = 120_000;
const KEEP_ALIVE_MS = 30_000;

/**
 * The cluster's API as pods know it, `https://kubernetes.default`: passes each request on to the upstream with the
 * client's own credentials, streaming both ways, upgrades included. It adds and checks nothing.
 */
export class ApiForwarder {
  readonly #upstream: URL;
  readonly #server: Server;
  readonly #agent: HttpAgent;
  readonly #upgraded = new Set<Duplex>();

  constructor({ upstream, ca, certificate, key }: ApiForwarderOptions) {
    this.#upstream = upstream;
    const pool = { keepAlive: true, maxFreeSockets: 8 };
    this.#agent = upstream.protocol === "https:" ? agentTrusting(ca, pool) : new HttpAgent(pool);
    this.#server = createServer({ cert: certificate, key });
    this.#server.requestTimeout = 0; // a body may take as long as its sender likes
    this.#server.keepAliveTimeout = IDLE_CLIENT_MS;
    this.#server.on("request", (request, response) => this.#forward(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Listens on a port of its own, or on any other where that is taken, and returns the port. */
  async listen(address: string): Promise<number> {
    try {
      await this.#listen(address, PREFERRED_PORT);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await this.#listen(address, 0);
    }
    return (this.#server.address() as { port: number }).port;
  }

  /** A renewed certificate, for connections from now on. */
  renew(certificate: string, key: string): void {
    this.#server.setSecureContext({ cert: certificate, key });
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const socket of this.#upgraded) socket.destroy();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await promise;
  }

  #listen(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, address, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  #forward(request: IncomingMessage, response: ServerResponse, retried = false): void {
    const onward = this.#open(request, headersOnward(request));
    if (!onward) return refuse(response, new ApiError(400, "BadRequest", "the request's target is not a path"));
    let answered = false;
    response.on("close", () => onward.destroy());
    onward.on("response", (answer) => {
      answered = true;
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer));
      response.flushHeaders(); // a watch may stay silent for long
      pipeline(answer, response, () => {});
    });
    onward.on("error", (error: NodeJS.ErrnoException) => {
      if (answered || response.destroyed) return;
      // The upstream may close a kept connection just as we use it again.
      const stale = onward.reusedSocket && error.code === "ECONNRESET";
      if (stale && !retried && (request.method === "GET" || request.method === "HEAD"))
        return this.#forward(request, response, true);
      refuse(response, unavailable(error));
    });
    if (retried) onward.end();
    else pipeline(request, onward, () => {});
  }

  #upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
    client.on("error", () => client.destroy());
    const headers = { ...headersOnward(request), connection: "Upgrade", upgrade: request.headers.upgrade };
    const onward = this.#open(request, headers);
    if (!onward) return void client.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    client.on("close", () => onward.destroy());
    onward.on("upgrade", (answer, server, serverHead) => {
      client.write(headOf(answer, answer.rawHeaders));
      this.#join(client, head, server as Socket, serverHead);
    });
    onward.on("response", (answer) => {
      client.write(headOf(answer, [...flat(endToEnd(answer)), "Connection", "close"]));
      pipeline(answer, client, () => {});
    });
    onward.on("error", (error) => {
      if (client.destroyed) return;
      const body = JSON.stringify(unavailable(error).status());
      const head = `HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n`;
      client.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
    onward.end();
  }

  #join(client: Duplex, clientHead: Buffer, server: Socket, serverHead: Buffer): void {
    server.setKeepAlive(true, KEEP_ALIVE_MS);
    if (serverHead.length) client.write(serverHead);
    if (clientHead.length) server.write(clientHead);
    this.#upgraded.add(client);
    client.pipe(server).pipe(client);
    server.on("error", () => client.destroy());
    server.on("close", () => client.destroy());
    client.on("close", () => {
      this.#upgraded.delete(client);
      server.destroy();
    });
  }

  /** The request to the upstream, or undefined when the client's target is no path. */
  #open(request: IncomingMessage, headers: OutgoingHttpHeaders): ClientRequest | undefined {
    const path = this.#pathOnward(request.url ?? "");
    if (path === undefined) return undefined;
    const { protocol, hostname, port } = this.#upstream;
    const options: RequestOptions = {
      method: request.method,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port,
      path,
      headers,
      agent: this.#agent,
    };
    const onward = protocol === "https:" ? httpsRequest(options) : httpRequest(options);
    onward.on("socket", (socket) => limitConnecting(socket, protocol === "https:"));
    return onward;
  }

  /** Dot segments are resolved here, or `/../` would lead out of the cluster's path. */
  #pathOnward(target: string): string | undefined {
    if (!target.startsWith("/") || !URL.canParse(`http://pod${target}`)) return undefined;
    const { pathname, search } = new URL(`http://pod${target}`);
    return `${this.#upstream.pathname.replace(/\/$/, "")}${pathname}${search}`;
  }
}

function limitConnecting(socket: Socket, secure: boolean): void {
  if (!socket.connecting) return;
  const giveUp = () => socket.destroy(new Error("connecting took too long"));
  socket.setTimeout(CONNECT_MS, giveUp);
  socket.once(secure ? "secureConnect" : "connect", () => socket.setTimeout(0));
}

function headersOnward(request: IncomingMessage): OutgoingHttpHeaders {
  const headers = endToEnd(request);
  if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked";
  return headers;
}

function endToEnd(message: IncomingMessage): OutgoingHttpHeaders {
  const named = namesIn(message.headers);
  return Object.fromEntries(Object.entries(message.headersDistinct).filter(([name]) => !named.has(name)));
}

/** Headers that go no further: those of one connection, and `host`, which is the upstream's. */
function namesIn({ connection = "" }: IncomingHttpHeaders): Set<string> {
  return new Set(["host", ...HOP_BY_HOP, ...connection.split(",").map((name) => name.trim().toLowerCase())]);
}

function flat(headers: OutgoingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => [name, String(one)]),
  );
}

function headOf(answer: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function unavailable(error: Error): ApiError {
  return new ApiError(503, "ServiceUnavailable", `the cluster cannot be reached from this node: ${error.message}`, {
    retryAfterSeconds: 1,
  });
}

function refuse(response: ServerResponse, error: ApiError): void {
  const body = JSON.stringify(error.status());
  const retry = error.details?.retryAfterSeconds;
  response.writeHead(error.code, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(retry === undefined ? {} : { "retry-after": `${retry}` }),
  });
  response.end(body);
}
