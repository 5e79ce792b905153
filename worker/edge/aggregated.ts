/**
 * Groups that may be another server's: the Cluster object answers itself, or says by which node the server is reached.
 * The request then goes through that node's Relay, as those to the API's proxy do.
 */
import type { ForwardGrant } from "../api/http/streams.ts";
import { concat } from "../lib/bytes.ts";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { asksForSocket } from "../lib/websocket.ts";
import { HOP_BY_HOP } from "../protocol/proxy.ts";
import { type Ask, exchange, forwarded, protocolsWithoutToken, sandboxed } from "./proxy.ts";
import { dialRelay, type Relays } from "./relay-socket.ts";

/** Bodies up to here are held until it is known whose they are. An object of the cluster's own has no more. */
const MAX_HELD_BYTES = 3 * 1024 * 1024;

/** What clients send as a body with these means nothing (RFC 9110 §9.3.1), and mostly is no more than a length of 0. */
const BODILESS = new Set(["GET", "HEAD"]);

/** Who asks is said by the Cluster object alone, and a body's length by what is held of it. */
const REMOTE = /^(x-remote-(user|uid|group|extra-.*)|host|content-length)$/;

/** `ask` puts the request to the Cluster object, a watch in another way than the rest. */
export async function openAggregated(
  request: Request,
  ask: (request: Request) => Promise<Response>,
  clusterName: string,
  relays: Relays,
): Promise<Response> {
  const isUpgrade = asksForSocket(request);
  const hasBody = request.body && !isUpgrade && !BODILESS.has(request.method);
  const body = hasBody ? await hold(request.body) : undefined;
  const answer = await ask(question(request, body?.held));
  if (!answer.headers.has(GRANT_HEADER)) {
    await body?.rest?.cancel();
    return request.method === "HEAD" ? new Response(null, answer) : answer;
  }
  const { headers, ...grant } = (await answer.json()) as ForwardGrant;
  const { pathname, search } = new URL(request.url);
  const socket = await dialRelay(relays, clusterName, grant);
  const forward: Ask = {
    method: request.method,
    path: pathname + search,
    headers: [...forwarded(request.headers).filter(([name]) => !REMOTE.test(name)), ...headers, ...lengthOf(body)],
    prefix: "",
    ...(isUpgrade && { upgrade: protocolsWithoutToken(request.headers) }),
  };
  return sandboxed(request, withoutRedirect(await exchange(socket, forward, body ? whole(body) : null)));
}

type Body = { held: Uint8Array<ArrayBuffer>; rest?: ReadableStreamDefaultReader<Uint8Array> };

/** Reads a body to its end, or so far that it must go on as it comes. */
async function hold(stream: ReadableStream<Uint8Array>): Promise<Body> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= MAX_HELD_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) return { held: concat(chunks) };
    chunks.push(value);
    size += value.byteLength;
  }
  return { held: concat(chunks), rest: reader };
}

const lengthOf = (body: Body | undefined): Ask["headers"] =>
  body && !body.rest ? [["content-length", String(body.held.length)]] : [];

/** The request as the Cluster object is to see it: with the body, or so much of it that it is too large. */
function question(request: Request, held: Uint8Array<ArrayBuffer> | undefined): Request {
  if (request.method === "GET" && !request.headers.has("upgrade")) return request;
  const headers = new Headers(request.headers);
  for (const name of [...HOP_BY_HOP, "content-length"]) headers.delete(name);
  // The answer to a HEAD could carry no grant; for who may ask they are the same.
  const method = request.method === "HEAD" ? "GET" : request.method;
  return new Request(request.url, { method, headers, ...(held?.length && { body: held }) });
}

function whole({ held, rest }: Body): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (held.length) controller.enqueue(held);
      if (!rest) controller.close();
    },
    async pull(controller) {
      const next = await rest?.read();
      if (!next || next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: (reason) => rest?.cancel(reason),
  });
}

/** Whoever answers for a group has no say in where the client's credentials go next. */
function withoutRedirect(answer: Response): Response {
  if (answer.status < 300 || answer.status > 399 || !answer.headers.has("location")) return answer;
  void answer.body?.cancel();
  return new Response("the backend attempted to redirect this request, which is not permitted", { status: 502 });
}
