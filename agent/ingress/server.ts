/** Where the proxy listens: HTTP/1.1 and HTTP/2, in the clear or over TLS. */
import { createServer, type Server } from "node:http";
import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import type { Timers } from "../effects.ts";
import type { CertificateStore } from "./certificates.ts";
import { http1Client, http2Client } from "./clients.ts";
import type { Forwarder } from "./forwarder.ts";
import { Upgrades } from "./upgrade.ts";

/** All headers of a request, together. */
const MAX_HEADER_BYTES = 64 * 1024;
/** In which they have to come; a body may take as long as it takes. */
const HEADERS_MS = 30_000;
/** How long a connection waits for its next request. */
const IDLE_MS = 75_000;
const MAX_STREAMS = 256;
/** What a client of HTTP/2 says first: RFC 9113, 3.4. */
const HTTP2_BEGINS = Buffer.from("PRI * HTTP/2.0\r\n");

const OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_MS,
  requestTimeout: 0,
  keepAliveTimeout: IDLE_MS,
  noDelay: true,
  keepAlive: true,
};

/** Makes the servers of a proxy's ports. Each is known by what its port is called, whatever the node's is. */
export class Fronts {
  /** Of HTTP/2. */
  readonly sessions = new Set<ServerHttp2Session>();
  readonly #forwarder: Forwarder;
  readonly #certificates: CertificateStore;
  readonly #upgrades: Upgrades;
  /** Connections on which nothing has been said yet. */
  readonly #silent = new Set<Socket>();
  readonly #servers = new Set<Server | SecureServer>();

  constructor(forwarder: Forwarder, certificates: CertificateStore, timers: Timers) {
    this.#forwarder = forwarder;
    this.#certificates = certificates;
    this.#upgrades = new Upgrades(forwarder, timers);
  }

  /** In the clear: HTTP/1, and HTTP/2 with those who know of it. */
  plain(listener: number): Server {
    const server = this.#serving(createServer(OPTIONS), listener);
    const [http1] = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => {}); // it closes
      this.#silent.add(socket);
      socket.once("close", () => this.#silent.delete(socket));
      socket.setTimeout(HEADERS_MS, () => socket.destroy());
      socket.once("readable", () => {
        this.#silent.delete(socket);
        const first = socket.read() as Buffer | null;
        if (first === null) return socket.destroy();
        socket.setTimeout(0).removeAllListeners("timeout");
        socket.unshift(first);
        if (first.subarray(0, HTTP2_BEGINS.length).equals(HTTP2_BEGINS)) this.#serveHttp2(socket, listener);
        else http1?.call(server, socket);
      });
    });
    return server;
  }

  secure(listener: number): SecureServer {
    const { cert, key } = this.#certificates.unnamed;
    const server = this.#serving(
      createSecureServer({
        ...OPTIONS,
        cert,
        key,
        minVersion: "TLSv1.2",
        ALPNProtocols: ["h2", "http/1.1"],
        SNICallback: (name, done) => done(null, this.#certificates.contextFor(name)),
      }),
      listener,
    );
    const [http1] = server.listeners("secureConnection");
    server.removeAllListeners("secureConnection");
    server.on("secureConnection", (socket) => {
      if (socket.alpnProtocol === "h2") this.#serveHttp2(socket, listener);
      else http1?.call(server, socket);
    });
    return server;
  }

  /** Ends connections that wait for another request; how many are left. */
  async pending(): Promise<number> {
    for (const socket of this.#silent) socket.destroy();
    const counts = [...this.#servers].map((server) => {
      server.closeIdleConnections();
      return new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count ?? 0)));
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  #serving<S extends Server | SecureServer>(server: S, listener: number): S {
    server.on("listening", () => this.#servers.add(server)).on("close", () => this.#servers.delete(server));
    server.on("request", (request, response) => void this.#forwarder.serve(http1Client(request, response, listener)));
    server.on("upgrade", (request, socket, early) => void this.#upgrades.serve(request, socket, early, listener));
    return server;
  }

  #serveHttp2(socket: Socket, listener: number): void {
    const settings = { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES };
    const session = performServerHandshake(socket, { settings });
    this.sessions.add(session);
    session.on("error", () => {}); // it closes
    session.once("close", () => this.sessions.delete(session));
    session.setTimeout(IDLE_MS, () => session.close());
    session.on("stream", (stream, headers, _, raw) => {
      void this.#forwarder.serve(http2Client(stream, headers, raw as unknown as string[], socket, listener));
    });
  }
}
