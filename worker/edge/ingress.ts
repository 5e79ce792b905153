/**
 * Apps that Ingresses name, served at the edge: a request for such a host goes to a ready pod through its node's Relay, so
 * that nothing behind NAT needs an open port. The Cluster object says where to; bytes do not pass through it.
 */
import { effects } from "../effects.ts";
import { changed, changedPath, type Filters, type Pairs } from "../lib/filters.ts";
import { INTERNAL_HEADER } from "../lib/internal-headers.ts";
import { loadsPage, WAITING_PAGE } from "../lib/waiting-page.ts";
import { asksForSocket } from "../lib/websocket.ts";
import type { EdgeAnswer, EdgeQuestion } from "../protocol/ingress.ts";
import { forwardedOf } from "./app-headers.ts";
import { AppHosts } from "./app-host.ts";
import { type Ask, exchange, protocolsOf } from "./proxy.ts";
import { askRelay, type Relays } from "./relay-socket.ts";

const MAX_TRIES = 3;
/** A body that is known to be no longer than this is kept, to be sent again where nobody has taken it. */
const MAX_KEPT_BYTES = 64 * 1024;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS"]);
/** What a node says where no connection came about. */
const NOT_SENT = /connection refused|no route to host|i\/o timeout/;

/** The Cluster object needs none of them to choose a rule. */
const CREDENTIALS = new Set(["authorization", "cookie"]);

const hosts = new AppHosts(effects.now);

/** Whether a request may be for an app. It is asked of every one, and mostly answered from memory. */
export const mayBeForApp = (request: Request, apiHosts: string | undefined): boolean =>
  hosts.find(request.url, apiHosts) !== undefined;

/** The app's answer; undefined where the request is for the API after all. */
export async function openIngress(
  request: Request,
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
): Promise<Response | undefined> {
  const url = new URL(request.url);
  let kept: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined;
  /** Not before it is known to be for an app: what is for the API is passed on as it came. */
  const body = async () => {
    kept ??= keptBody(request);
    const bytes = await kept;
    return bytes ? new Response(bytes).body : request.body;
  };
  const isRepeatable = request.body === null && IDEMPOTENT.has(request.method);
  const isPage = !asksForSocket(request) && loadsPage(request.method, (name) => request.headers.get(name));
  const since = effects.now();
  const tried: string[] = [];
  let failure = "no endpoint of the service answers";
  for (let tries = 0; tries < MAX_TRIES; ) {
    const said = await ask(request, url, { tried, waitedMs: effects.now() - since, isPage }, cluster);
    if (said.to === "api") {
      if (said.counts !== "once") hosts.remember(request.url, said.counts === "always");
      return undefined;
    }
    if (said.to === "https") return redirected(url);
    if (said.to === "elsewhere") return new Response(null, { status: said.status, headers: said.headers });
    if (said.to === "wait") {
      tried.length = 0; // what has just started may not have listened yet
      continue;
    }
    if (said.to === "nobody") return tries === 0 ? answered(said) : refusal(502, failure);
    tries++;
    const { answer, unreachable } = await reach(request, url, said, body, clusterName, relays);
    if (answer) return answer;
    failure = `no endpoint of the service answers: ${unreachable}`;
    if (!isRepeatable && !((await kept) && NOT_SENT.test(unreachable ?? ""))) return refusal(502, failure);
    const { stream } = said.grant;
    if (stream.kind === "proxy") tried.push(`${stream.address}:${stream.port}`);
  }
  return refusal(502, failure);
}

/** Undefined where it is none, or one that can be read but once. */
async function keptBody({ headers, body, method }: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const length = headers.get("content-length");
  if (!body || method === "GET" || length === null || Number(length) > MAX_KEPT_BYTES) return undefined;
  return new Uint8Array(await new Response(body).arrayBuffer());
}

async function ask(
  request: Request,
  url: URL,
  so: Pick<EdgeQuestion, "tried" | "waitedMs" | "isPage">,
  cluster: Fetcher,
): Promise<EdgeAnswer> {
  const { pathname: path, protocol, hostname } = url;
  const host = hostname.replace(/\.$/, "").toLowerCase();
  const question: EdgeQuestion = { host, path, isSecure: protocol === "https:", ...so, ...matchedBy(request, url) };
  const headers = new Headers({ [INTERNAL_HEADER]: "ingress" });
  // Not for the app's sake: who comes with the cluster's own credential has come to the API.
  const authorization = request.headers.get("authorization");
  if (authorization) headers.set("authorization", authorization);
  const body = JSON.stringify(question);
  const answer = await cluster.fetch(new Request("https://cluster/", { method: "POST", headers, body }));
  if (!answer.ok) return { to: "nobody", status: 503, message: "the cluster does not answer" };
  return (await answer.json()) as EdgeAnswer;
}

/** What rules may be about beside the path. */
function matchedBy({ method, headers }: Request, { search }: URL): Pick<EdgeQuestion, "method" | "query" | "headers"> {
  return { method, query: search, headers: [...headers].filter(([name]) => !CREDENTIALS.has(name)) };
}

type Reached = { answer?: Response; unreachable?: string };

async function reach(
  request: Request,
  url: URL,
  { grant, timeoutMs, filters, prefix = "" }: Extract<EdgeAnswer, { to: "app" }>,
  bodyOf: () => Promise<ReadableStream<Uint8Array> | null>,
  clusterName: string,
  relays: Relays,
): Promise<Reached> {
  const { webSocket } = await askRelay(relays, clusterName, grant);
  if (!webSocket) return { unreachable: "the node did not come" };
  const isUpgrade = asksForSocket(request);
  const body = isUpgrade ? null : await bodyOf();
  const asked: Ask = {
    method: request.method,
    path: changedPath(url.pathname, filters?.rewrite?.path, prefix) + url.search,
    headers: changed(withHost(forwardedOf(request, url), filters?.rewrite?.host), filters?.request),
    prefix: "",
    asIs: true,
    ...(isUpgrade && { upgrade: protocolsOf(request.headers) }),
  };
  let unreachable: string | undefined;
  const options = {
    keepsAll: true,
    unavailable: (message: string) => {
      unreachable = message;
      return refusal(502, message);
    },
  };
  const timedOut = Promise.withResolvers<Response>();
  const cancel = effects.after(timeoutMs || MAX_TIMER_MS, () => {
    if (timeoutMs === 0) return;
    timedOut.resolve(refusal(504, `the service did not answer within ${timeoutMs / 1000} s`));
    webSocket.close(1000);
  });
  try {
    const answer = await Promise.race([exchange(webSocket, asked, body, options), timedOut.promise]);
    return unreachable === undefined ? { answer: withHeaders(answer, filters?.response) } : { unreachable };
  } finally {
    cancel();
  }
}

const withHost = (headers: Pairs, host: string | undefined): Pairs =>
  host === undefined ? headers : changed(headers, [{ set: [["host", host]] }]);

function withHeaders(answer: Response, changes: Filters["response"]): Response {
  if (!changes?.length || answer.webSocket) return answer;
  const headers = new Headers();
  for (const [name, value] of changed([...answer.headers], changes)) headers.append(name, value);
  const { status, statusText } = answer;
  return new Response(answer.body, { status, statusText, headers, encodeBody: "manual" });
}

/** Timers take no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function redirected(url: URL): Response {
  const to = new URL(url);
  to.protocol = "https:";
  return new Response(null, { status: 308, headers: { location: to.href } });
}

const refusal = (status: number, message: string, headers: Record<string, string> = {}): Response =>
  new Response(`${message}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff", ...headers },
  });

/** Who is not led anywhere, and is to come again where that is said. */
function answered({ status, message, retryAfter, page }: Extract<EdgeAnswer, { to: "nobody" }>): Response {
  const again: Record<string, string> = retryAfter ? { "retry-after": String(retryAfter) } : {};
  if (!page) return refusal(status, message, again);
  const headers = { ...again, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  return new Response(WAITING_PAGE, { status, headers });
}
