/**
 * TLS in front of workerd for clients with certificates, which workerd cannot ask for without demanding them of everyone.
 * A connection without one is carried through as it is; with one, each of its requests is told which it is. It is there
 * only for who starts it: what workerd ends itself takes no detour.
 */
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { createServer, type TLSSocket } from "node:tls";
import { CF_HEADER, type FrontSockets } from "./workerd.ts";

export type FrontOptions = { port: number; key: string; certificate: string; sockets: FrontSockets };

const MAX_HEADER_BYTES = 64 * 1024;

/** Resolves when it listens; the caller owns it. */
export function startFront({ port, key, certificate, sockets }: FrontOptions): Promise<{ stop(): void }> {
  const withCertificate = identifying(sockets.shown);
  const open = new Set<TLSSocket>();
  const options = { key, cert: certificate, requestCert: true, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };
  const server = createServer(options, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    if (socket.getPeerX509Certificate()) withCertificate.emit("connection", socket);
    else join(socket, connect(sockets.plain));
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  const stop = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve({ stop }));
  });
}

/** Whichever ends first, or fails, ends the other. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}

/** The headers as they came, but for what only this program says. */
function headersOf({ rawHeaders, socket }: IncomingMessage): string[] {
  const certificate = (socket as TLSSocket).getPeerX509Certificate();
  const shown = { certPresented: "1", certRevoked: "0", certRFC9440: `:${certificate?.raw.toString("base64")}:` };
  const headers = [CF_HEADER, JSON.stringify({ tlsClientAuth: shown })];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (![CF_HEADER, "expect"].includes(name.toLowerCase())) headers.push(name, value);
  }
  return headers;
}

function identifying(socketPath: string): Server {
  const server = createHttpServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }, (request, response) => {
    const { method, url: path } = request;
    const asked = httpRequest({ socketPath, method, path, headers: headersOf(request), setHost: false });
    asked.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      response.flushHeaders(); // a watch may have nothing to tell for long
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    asked.on("error", () => response.destroy());
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const upstream = connect(socketPath);
    const headers = headersOf(request);
    const lines = headers.flatMap((name, at) => (at % 2 ? [] : [`${name}: ${headers[at + 1]}`]));
    upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    join(socket, upstream);
  });
  return server;
}
