/**
 * A mirror of the cluster's registry on loopback, for one pull: whoever pulls asks it for each blob first, and the registry
 * at once where it has none. It asks the registry for a ticket, as who pulls, and by that other nodes for the bytes.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TICKET_HEADER } from "../../../worker/lib/blob-tickets.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import { open, type Server } from "../../local/http.ts";
import { megabytes } from "../words.ts";
import type { Peers } from "./peers.ts";

/** `url` has what nobody else on this machine can guess. */
export type Mirror = { url: string; close(): void };
/** Undefined while there are no other nodes to be asked, or none can be. */
export type Mirrors = { open(registry: Server): Promise<Mirror | undefined> };

const BLOB = /^\/v2\/.+\/blobs\/(sha256:[0-9a-f]{64})$/;
const REGISTRY_TIMEOUT_MS = 10_000;
const SECRET_BYTES = 16;

type MirrorParts = { peers: Pick<Peers, "near" | "fetch" | "avoid">; log(message: string): void };

/** `registry` is asked as who pulls. */
export const peerMirrors = (parts: MirrorParts): Mirrors => ({
  open: (registry) =>
    openMirror(registry, parts).catch((error: unknown) => {
      parts.log(`images: no other nodes are asked: ${errorText(error)}`);
      return undefined;
    }),
});

async function openMirror(registry: Server, parts: MirrorParts): Promise<Mirror | undefined> {
  if (parts.peers.near().length === 0) return undefined;
  const secret = `/${randomBytes(SECRET_BYTES).toString("hex")}`;
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname: path } = new URL(request.url ?? "/", "http://mirror");
    const isAsked = path.startsWith(`${secret}/`) && request.method === "GET" && request.headers.range === undefined;
    if (!isAsked || !(await give(path.slice(secret.length), response, registry, parts))) response.writeHead(404).end();
  };
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}${secret}`, close };
}

/** False where nobody has it. */
async function give(path: string, response: ServerResponse, registry: Server, { peers, log }: MirrorParts) {
  const [, digest] = BLOB.exec(path) ?? [];
  const granted = digest === undefined ? undefined : await ask(registry, path).catch(() => undefined);
  const found = digest && granted && (await peers.fetch(digest, granted.size, granted.ticket));
  if (!found) return false;
  const { from, body } = found;
  let isLeft = false; // by who pulls
  response.once("close", () => {
    isLeft = !body.errored;
  });
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": granted.size });
  try {
    await pipeline(body, verified(digest), response);
    log(`images: ${megabytes(granted.size)} came from node ${from.node}`);
  } catch (error) {
    if (error instanceof OtherBytes || (body.errored && !isLeft && !response.writableFinished))
      peers.avoid(from, errorText(error));
    throw error; // the registry is asked for the rest
  }
  return true;
}

/** What the registry says of a blob that it would give. */
async function ask(registry: Server, path: string): Promise<{ size: number; ticket: string } | undefined> {
  const headers = { [TICKET_HEADER]: "wanted" };
  const answer = await open({ ...registry, anyTime: true }, "HEAD", path, { headers, timeoutMs: REGISTRY_TIMEOUT_MS });
  answer.resume();
  const ticket = answer.headers[TICKET_HEADER];
  const size = Number(answer.headers["content-length"]);
  return answer.statusCode === 200 && typeof ticket === "string" ? { size, ticket } : undefined;
}

class OtherBytes extends Error {
  override readonly name = "OtherBytes";
}

/** Passes bytes on, of which the last are held back until all have the digest. */
function verified(digest: string): Transform {
  const hash = createHash("sha256");
  let last: Buffer | undefined;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      const ready = last;
      last = chunk;
      done(null, ready);
    },
    flush(done) {
      if (`sha256:${hash.digest("hex")}` === digest) return done(null, last);
      done(new OtherBytes(`it has other bytes for ${digest}`));
    },
  });
}
