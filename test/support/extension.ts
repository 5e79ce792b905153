/** A small extension API server of this process, over TLS: it knows its clients by their certificate, as real ones do. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";
import { freePort } from "./free-port.ts";

export type Heard = {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  /** Bytes of the body. */
  length: number;
  /** The subject of a client's certificate that the front proxy's CA has signed. */
  client: string | undefined;
};
export type Handler = (response: ServerResponse, heard: Heard) => void;

/** Answers with JSON. */
export const json =
  (value: unknown, status = 200): Handler =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };

export class ExtensionServer {
  /** By path, without a query. */
  readonly handlers = new Map<string, Handler>();
  readonly heard: Heard[] = [];
  /** PEM of what signed the server's certificate. */
  readonly ca: string;
  readonly #key: { cert: string; key: string };
  #server: Server | undefined;
  #port = 0;

  private constructor(ca: string, key: { cert: string; key: string }) {
    this.ca = ca;
    this.#key = key;
  }

  /** Its certificate is for a Service: `name.namespace.svc`. */
  static async make(serverName: string): Promise<ExtensionServer> {
    const now = Date.now();
    const authority = await createAuthority("extension-ca", now);
    const { certificate, key } = await issueServer(authority, serverName, { dns: [serverName], ip: [] }, now);
    return new ExtensionServer(authority.certificate, { cert: certificate, key });
  }

  /** Listens at an address, and echoes on every WebSocket, always on the same port; the port. `frontProxy` is PEM of whose signature makes the API. */
  async start(address: string, frontProxy: string): Promise<number> {
    const options = { ...this.#key, ca: frontProxy, requestCert: true, rejectUnauthorized: false };
    const server = createServer(options, (request, response) => void this.#answer(request, response));
    this.#server = server;
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (opened) => {
        this.heard.push(heardIn(request, 0));
        opened.on("message", (data, binary) => opened.send(data, { binary }));
      }),
    );
    this.#port ||= await freePort(); // one that nobody takes while it is stopped
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, address, resolve);
    });
    return this.#port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let length = 0;
    for await (const chunk of request) length += (chunk as Buffer).length;
    const heard = heardIn(request, length);
    this.heard.push(heard);
    if (!heard.client) response.writeHead(401).end();
    else (this.handlers.get(heard.path) ?? json({ kind: "Status", code: 404 }, 404))(response, heard);
  }
}

function heardIn(request: IncomingMessage, length: number): Heard {
  const socket = request.socket as TLSSocket;
  const client = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined;
  const path = (request.url ?? "").split("?")[0] ?? "";
  return { method: request.method ?? "", path, headers: request.headers, length, client };
}
