/** A request for an app, led to one endpoint after another as the Cluster object names them, as often as it may be sent. */
import { loadsPage, WAITING_PAGE } from "../lib/waiting-page.ts";
import { asksForSocket } from "../lib/websocket.ts";
import type { EdgeAnswer, EdgeQuestion } from "../protocol/ingress.ts";
import { NODE_DID_NOT_COME } from "../protocol/proxy.ts";

const MAX_TRIES = 3;
/** A body that is known to be no longer than this is kept, to be sent again where nobody has taken it. */
const MAX_KEPT_BYTES = 64 * 1024;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS"]);
/** What a node says where no connection came about, and what is said of one that is not there. */
const NOT_SENT = new RegExp(`connection refused|no route to host|i/o timeout|${NODE_DID_NOT_COME}`);

/** What came of sending it to an endpoint. */
export type Reached = { answer?: Response; unreachable?: string };

export type Way = {
  now(): number;
  /** Where it is to go. */
  ask(so: Pick<EdgeQuestion, "tried" | "waitedMs" | "isPage">): Promise<EdgeAnswer>;
  /** Sends it there. `body` may be called once for each time. */
  reach(
    said: Extract<EdgeAnswer, { to: "app" }>,
    body: () => Promise<ReadableStream<Uint8Array> | null>,
  ): Promise<Reached>;
  /** It is for the API after all. */
  forApi(said: Extract<EdgeAnswer, { to: "api" }>): void;
};

/** The app's answer, or why there is none; undefined where it is not for an app. */
export async function led(request: Request, { now, ask, reach, forApi }: Way): Promise<Response | undefined> {
  let kept: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined;
  /** Not before it is known to be for an app: what is for the API is passed on as it came. */
  const body = async () => {
    kept ??= keptBody(request);
    const bytes = await kept;
    return bytes ? new Response(bytes).body : request.body;
  };
  const isWhole = async () => !request.bodyUsed || (await kept) !== undefined;
  const isRepeatable = request.body === null && IDEMPOTENT.has(request.method);
  const isPage = !asksForSocket(request) && loadsPage(request.method, (name) => request.headers.get(name));
  const since = now();
  const tried: string[] = [];
  let failure = "no endpoint of the service answers";
  for (let tries = 0; tries < MAX_TRIES; ) {
    const said = await ask({ tried, waitedMs: now() - since, isPage });
    if (said.to === "api") {
      forApi(said);
      return undefined;
    }
    if (said.to === "https") return redirected(request.url);
    if (said.to === "elsewhere") return new Response(null, { status: said.status, headers: said.headers });
    if (said.to === "wait") {
      tried.length = 0; // what has just started may not have listened yet
      continue;
    }
    if (said.to === "nobody") return tries === 0 ? answered(said) : refusal(502, failure);
    tries++;
    const { answer, unreachable } = await reach(said, body);
    if (answer) return answer;
    failure = `no endpoint of the service answers: ${unreachable}`;
    if (!isRepeatable && !(NOT_SENT.test(unreachable ?? "") && (await isWhole()))) return refusal(502, failure);
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

function redirected(url: string): Response {
  const to = new URL(url);
  to.protocol = "https:";
  return new Response(null, { status: 308, headers: { location: to.href } });
}

export const refusal = (status: number, message: string, headers: Record<string, string> = {}): Response =>
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
