import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { pipeline, type Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { TICKET_HEADER } from "../../worker/lib/blob-tickets.ts";
import { type Access, subresourcesOf } from "./access.ts";
import { type Answer, pathOf, type Question, text } from "./answer.ts";

export type ServerParts = {
  answer(question: Question): Promise<Answer>;
  /** What other nodes may have by a ticket of the registry; undefined for all that is none of it. */
  give(question: Question, ticket: string | undefined): Promise<Answer | undefined>;
  access: Pick<Access, "identify" | "allows">;
  log(message: string): void;
};
/** PEM; `ca` has signed the certificates of those who may come with one. */
export type Credentials = { certificate: string; key: string; ca: string };

const IDLE_CLIENT_MS = 90_000;
/** Of what is given, others may be waiting for the place of who takes nothing for so long. */
const IDLE_TAKER_MS = 30_000;
const UNAUTHORIZED = text(401, "Unauthorized");

/** The node's own API by HTTPS, on a port of its own. */
export class KubeletServer {
  readonly #parts: ServerParts;
  readonly #idleTakerMs: number;
  #server: Server | undefined;

  constructor(parts: ServerParts, idleTakerMs = IDLE_TAKER_MS) {
    this.#parts = parts;
    this.#idleTakerMs = idleTakerMs;
  }

  /** Resolves to the port; rejects where it is taken. */
  async listen(address: string, port: number, credentials: Credentials): Promise<number> {
    const server = createServer({ ...contextOf(credentials), requestCert: true, rejectUnauthorized: false });
    server.keepAliveTimeout = IDLE_CLIENT_MS;
    server.on("request", (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, address, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#server = server;
    return (server.address() as { port: number }).port;
  }

  /** For connections from now on. */
  renew(credentials: Credentials): void {
    this.#server?.setSecureContext(contextOf(credentials));
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume(); // no path takes a body
    const question = { method: request.method ?? "", url: request.url ?? "" };
    const ticket = request.headers[TICKET_HEADER];
    const given = await this.#parts.give(question, typeof ticket === "string" ? ticket : undefined);
    const answer = given ?? (await this.#refused(request, question)) ?? (await this.#parts.answer(question));
    const { status, headers, body } = await compressed(answer, request.headers["accept-encoding"]);
    response.writeHead(status, headers);
    if (question.method === "HEAD") {
      if (isStream(body)) body.destroy();
      response.end();
    } else if (isStream(body) && response.destroyed) body.destroy();
    else if (isStream(body)) {
      if (given) response.setTimeout(this.#idleTakerMs, () => response.destroy());
      pipeline(body, response, () => {});
    } else response.end(body);
  }

  async #refused(request: IncomingMessage, { method, url }: Question): Promise<Answer | undefined> {
    const { access, log } = this.#parts;
    const path = pathOf(url);
    if (path === undefined) return text(400, "invalid URL\n");
    const socket = request.socket as TLSSocket;
    const user = await access.identify(socket, request.headers.authorization).catch((error: Error) => {
      log(`${method} ${path}: ${error.message}`);
      return undefined;
    });
    if (!user) return UNAUTHORIZED;
    const subresources = subresourcesOf(path);
    const verb = { GET: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" }[method] ?? "";
    const who = `user=${user.name}, verb=${verb}, resource=nodes`;
    try {
      if (await access.allows(user, method, subresources)) return undefined;
      return text(403, `Forbidden (${who}, subresource(s)=[${subresources.join(" ")}])\n`);
    } catch {
      return text(500, `Authorization error (${who}, subresource=${subresources[0]})`);
    }
  }
}

/** Without a CA nobody's certificate is believed: were none named, Node.js would believe everyone whom browsers do. */
function contextOf({ certificate, key, ca }: Credentials) {
  return { cert: certificate, key, ca: ca ? [ca] : [], minVersion: "TLSv1.2" as const };
}

const isStream = (body: string | Buffer | Readable): body is Readable =>
  typeof body !== "string" && !Buffer.isBuffer(body);

type Encoded = { status: number; headers: Record<string, string | number>; body: string | Buffer | Readable };

/** What is smaller is not worth it. */
const SMALL_BYTES = 16 * 1024;
const compress = promisify(gzip);

/** The answer as it goes over the wire, to a client that says what it accepts. */
export async function compressed(
  { status, headers, body }: Answer,
  accepted: string | string[] = "",
): Promise<Encoded> {
  if (typeof body !== "string") return { status, headers, body };
  if (body.length < SMALL_BYTES || !/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(String(accepted)))
    return { status, headers: { ...headers, "content-length": Buffer.byteLength(body) }, body };
  const bytes = await compress(body);
  return { status, headers: { ...headers, "content-encoding": "gzip", "content-length": bytes.length }, body: bytes };
}
