/** Where the proxy listens: HTTP/1.1 on one port; HTTP/1.1 and HTTP/2 over TLS on the other. */
import { createServer, type Server } from "node:http";
import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { TLSSocket } from "node:tls";
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

const OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_MS,
  requestTimeout: 0,
  keepAliveTimeout: IDLE_MS,
  noDelay: true,
  keepAlive: true,
};

export type Servers = { http: Server; https: SecureServer; sessions: ReadonlySet<ServerHttp2Session> };

export function createServers(forwarder: Forwarder, certificates: CertificateStore, timers: Timers): Servers {
  const upgrades = new Upgrades(forwarder, timers);
  const sessions = new Set<ServerHttp2Session>();
  const http = createServer(OPTIONS);
  const https = createSecureServer({
    ...OPTIONS,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["h2", "http/1.1"],
    SNICallback: (name, done) => done(null, certificates.contextFor(name)),
  });
  for (const server of [http, https]) {
    server.on("request", (request, response) => void forwarder.serve(http1Client(request, response)));
    server.on("upgrade", (request, socket, early) => void upgrades.serve(request, socket, early));
  }
  const [http1] = https.listeners("secureConnection");
  https.removeAllListeners("secureConnection");
  https.on("secureConnection", (socket) => {
    if (socket.alpnProtocol === "h2") serveHttp2(forwarder, socket, sessions);
    else http1?.call(https, socket);
  });
  return { http, https, sessions };
}

function serveHttp2(forwarder: Forwarder, socket: TLSSocket, sessions: Set<ServerHttp2Session>): void {
  const settings = { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES };
  const session = performServerHandshake(socket, { settings });
  sessions.add(session);
  session.on("error", () => {}); // it closes
  session.once("close", () => sessions.delete(session));
  session.setTimeout(IDLE_MS, () => session.close());
  session.on("stream", (stream, headers, _, raw) => {
    void forwarder.serve(http2Client(stream, headers, raw as unknown as string[], socket));
  });
}
