/**
 * Apps that Ingresses name, served at the edge: a request for such a host goes to a ready pod through its node's Relay, so
 * that nothing behind NAT needs an open port. The Cluster object says where to; bytes do not pass through it.
 */
import { effects } from "../effects.ts";
import { changed, changedPath, type Filters, type Pairs } from "../lib/filters.ts";
import { INTERNAL_HEADER } from "../lib/internal-headers.ts";
import type { EdgeAnswer, EdgeQuestion } from "../protocol/ingress.ts";
import { NODE_DID_NOT_COME } from "../protocol/proxy.ts";
import { forwardedOf } from "./app-headers.ts";
import { AppHosts } from "./app-host.ts";
import { led, type Reached, refusal } from "./leading.ts";
import { askAsIs, exchange } from "./proxy.ts";
import { askRelay, type Relays } from "./relay-socket.ts";

/** The Cluster object needs none of them to choose a rule. */
const CREDENTIALS = new Set(["authorization", "cookie"]);

const hosts = new AppHosts(effects.now);

/** Whether a request may be for an app. It is asked of every one, and mostly answered from memory. */
export const mayBeForApp = (request: Request, apiHosts: string | undefined): boolean =>
  hosts.find(request.url, apiHosts) !== undefined;

/** The app's answer; undefined where the request is for the API after all. */
export function openIngress(
  request: Request,
  clusterName: string,
  cluster: Fetcher,
  relays: Relays,
): Promise<Response | undefined> {
  const url = new URL(request.url);
  return led(request, {
    now: effects.now,
    ask: (so) => ask(request, url, so, cluster),
    reach: (said, body) => reach(request, url, said, body, clusterName, relays),
    forApi: ({ counts }) => {
      if (counts !== "once") hosts.remember(request.url, counts === "always");
    },
  });
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

async function reach(
  request: Request,
  url: URL,
  { grant, timeoutMs, filters, prefix = "" }: Extract<EdgeAnswer, { to: "app" }>,
  bodyOf: () => Promise<ReadableStream<Uint8Array> | null>,
  clusterName: string,
  relays: Relays,
): Promise<Reached> {
  const { webSocket } = await askRelay(relays, clusterName, grant);
  if (!webSocket) return { unreachable: NODE_DID_NOT_COME };
  const asked = askAsIs(
    request,
    changedPath(url.pathname, filters?.rewrite?.path, prefix) + url.search,
    changed(withHost(forwardedOf(request, url), filters?.rewrite?.host), filters?.request),
  );
  const body = asked.upgrade ? null : await bodyOf();
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
