/**
 * What a pod serves by HTTP, shown in a browser at a host name of its own, so that nothing of it runs where the page and the
 * API are. The name stands for one port of one pod and one credential, and shows nothing without a cookie of its own:
 *
 *     POST /skerry/forwards          `ForwardAsked`, by who may get `pods/proxy` of it: `Forward`
 *     POST https://HOST/skerry/open  ticket=…, as a form: the cookie, and on to `/`
 *     any  https://HOST/…            with the cookie, the pod's
 *
 * Ticket and cookie are sealed for their host and hold the credential: with each request the Cluster object is asked anew
 * whether that may still do what is asked of that very pod.
 */
import type { StreamGrant } from "../api/http/streams.ts";
import { boundedBody } from "../lib/bounded-body.ts";
import { fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import { CLUSTER_HEADER, GRANT_HEADER, INTERNAL_HEADER, POD_UID_HEADER } from "../lib/internal-headers.ts";
import { jsonObject } from "../lib/json-object.ts";
import { ApiError, badRequest, methodNotAllowed, type Status, tooLarge, unauthorized } from "../lib/status.ts";
import type { Headers as HeaderList } from "../protocol/proxy.ts";
import { forwardedOf } from "./app-headers.ts";
import { hostOf } from "./app-host.ts";
import type { Seal } from "./sealed-chunks.ts";

/** What the page asks for. */
export type ForwardAsked = { namespace: string; pod: string; uid: string; port: number; scheme: "http" | "https" };
/** `host` with its port, where that is not the usual one. */
export type Forward = { host: string; ticket: string };

/** Where nothing is set: browsers take every name in `localhost` for the machine that they are on. */
const LOCAL_DOMAIN = "skerry.localhost";
const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

const OPEN_PATH = "/skerry/open";
const COOKIE = "__Host-skerry-forward";
const OUR_COOKIE = new RegExp(String.raw`^\s*${COOKIE}\s*=\s*`, "i");

const TICKET_MS = 60_000;
const SESSION_MS = 8 * 3_600_000;
const MAX_ASKED_BYTES = 4096;
/** Browsers keep no cookie of more than 4096 with its name and attributes: RFC 6265bis §5.6. */
const MAX_COOKIE_BYTES = 3900;
const MAX_FORM_BYTES = 2 * MAX_COOKIE_BYTES;

/** `authorization` is the header by which it was asked for; `until` in ms. */
type Session = ForwardAsked & { cluster: string; authorization: string; until: number };

export type ForwardParts = {
  clusterOf(name: string): { fetch(request: Request): Promise<Response> };
  /** The request by a granted stream with these headers, and the pod's answer, or what `unavailable` makes of why there is none. */
  toPod(
    cluster: string,
    grant: StreamGrant,
    request: Request,
    headers: HeaderList,
    unavailable: (why: string) => Response,
  ): Promise<Response>;
  seal: Pick<Seal, "close" | "open" | "digest">;
  /** Of `SKERRY_FORWARD_DOMAIN`. */
  domain: string | undefined;
  now(): number;
};

export const isForwards = (path: string): boolean => path === "/skerry/forwards";

/** Of what lies in no such host's URL, however that is written. */
const MAY_BE_HOST = /^https?:\/\/(?:fwd-|[^/]*[^-\w.:[\]/])/i;

/** The host of a forward that the URL is at, whether there is such a forward or not: no app's and not the API's. */
export function forwardHost(url: string, domain: string | undefined): string | undefined {
  if (!MAY_BE_HOST.test(url)) return undefined;
  const host = hostOf(new URL(url).host);
  return host.startsWith("fwd-") && host.endsWith(`.${asInUrls(domain) || LOCAL_DOMAIN}`) ? host : undefined;
}

const domainFor = ({ hostname }: URL, domain: string | undefined): string | undefined =>
  asInUrls(domain) || (LOOPBACK.test(hostname) ? LOCAL_DOMAIN : undefined);

/** However it is written in the deployment's settings. */
function asInUrls(domain = ""): string {
  const url = `https://${domain}`;
  return domain && URL.canParse(url) ? hostOf(new URL(url).host) : "";
}

const withPort = ({ port }: URL, host: string) => (port ? `${host}:${port}` : host);

/** Where the page may send its tickets, as a source of a Content-Security-Policy. */
export function forwardSource(url: URL, domain: string | undefined): string {
  const found = domainFor(url, domain);
  return found ? `https://${withPort(url, `*.${found}`)}` : "'none'";
}

/** `request` is as the cluster knows it. Throws the refusals that are not the Cluster object's. */
export async function openForwards(request: Request, clusterName: string, parts: ForwardParts): Promise<Response> {
  if (request.method !== "POST") throw methodNotAllowed();
  const authorization = request.headers.get("authorization") ?? "";
  if (!/^\s*bearer\s/i.test(authorization)) throw unauthorized();
  if (request.headers.has("impersonate-user"))
    throw badRequest("a pod is shown to who asks, and in nobody else's name");
  const url = new URL(request.url);
  const domain = domainFor(url, parts.domain);
  if (!domain) throw new ApiError(501, "NotImplemented", "this deployment has no SKERRY_FORWARD_DOMAIN");
  const asked = parsed(await boundedBody(request, MAX_ASKED_BYTES, () => tooLarge("what is asked for is too long")));
  const session: Session = { ...asked, cluster: clusterName, authorization, until: parts.now() + TICKET_MS };
  const refused = await ask(parts, session, request, "stream-check");
  if (refused instanceof Response) return refused;
  const { until, ...lasting } = session;
  const host = `fwd-${await parts.seal.digest(`the host of a forward ${JSON.stringify(lasting)}`)}.${domain}`;
  const ticket = sealed(parts, "ticket", host, session);
  if (ticket.length > MAX_COOKIE_BYTES) throw tooLarge("the credential is too long for a browser's cookie");
  return Response.json({ host: withPort(url, host), ticket } satisfies Forward);
}

const NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;

function parsed(bytes: Uint8Array): ForwardAsked {
  const { namespace, pod, uid, port, scheme } = jsonObject(bytes);
  const named = (name: string, value: unknown) => {
    if (typeof value === "string" && NAME.test(value)) return value;
    throw badRequest(`${name} must be a name`);
  };
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65_535) throw badRequest("port must be 1 to 65535");
  if (scheme !== "http" && scheme !== "https") throw badRequest("scheme must be http or https");
  return {
    namespace: named("namespace", namespace),
    pod: named("pod", pod),
    uid: named("uid", uid),
    port: Number(port),
    scheme,
  };
}

type Sealed = "ticket" | "session";

/** Neither opens as the other, nor for another host. */
const context = (what: Sealed, host: string) => `the ${what} of a forward at ${host}`;

const sealed = ({ seal }: ForwardParts, what: Sealed, host: string, session: Session): string =>
  toBase64Url(seal.close(new TextEncoder().encode(JSON.stringify(session)), context(what, host)));

/** Undefined where it was not given for that, or is over. */
function unsealed({ seal, now }: ForwardParts, what: Sealed, host: string, text: string): Session | undefined {
  try {
    const bytes = seal.open(fromBase64Url(text), context(what, host));
    const session = JSON.parse(new TextDecoder().decode(bytes)) as Session;
    return session.until > now() ? session : undefined;
  } catch {
    return undefined;
  }
}

/** A stream to the pod, as the API's proxy would have it, or the refusal. */
async function ask(
  { clusterOf }: ForwardParts,
  { cluster, authorization, namespace, pod, uid, port, scheme }: Session,
  { method, headers: given }: Request,
  how: "stream" | "stream-check",
): Promise<StreamGrant | Response> {
  const headers = new Headers({ authorization, [CLUSTER_HEADER]: cluster, [POD_UID_HEADER]: uid });
  headers.set(INTERNAL_HEADER, how);
  // For the audit log.
  for (const name of ["user-agent", "cf-connecting-ip"]) if (given.has(name)) headers.set(name, given.get(name) ?? "");
  const url = `https://cluster/api/v1/namespaces/${namespace}/pods/${scheme}:${pod}:${port}/proxy/`;
  // The answer to a HEAD could carry no grant, and to ask for leave is to ask whether it may be read.
  const asked = how === "stream-check" || method === "HEAD" ? "GET" : method;
  const answer = await clusterOf(cluster).fetch(new Request(url, { method: asked, headers }));
  return answer.headers.has(GRANT_HEADER) ? ((await answer.json()) as StreamGrant) : answer;
}

/** A request at a forward's host. */
export async function openForward(request: Request, host: string, parts: ForwardParts): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === OPEN_PATH && request.method === "POST") return opened(request, host, parts);
  const session = unsealed(parts, "session", host, cookieOf(request.headers));
  if (!session) return refusal(403, "This is shown to nobody, or not any more: open it anew from the cluster's page.");
  if (isForeign(request)) return refusal(403, "Other sites have no say here.");
  const grant = await ask(parts, session, request, "stream");
  if (grant instanceof Response) return refused(grant);
  const headers = withoutOurs(forwardedOf(request, url));
  const unavailable = (why: string) => refusal(502, why);
  return keptApart(await parts.toPod(session.cluster, grant, request, headers, unavailable));
}

async function opened(request: Request, host: string, parts: ForwardParts): Promise<Response> {
  const form = await boundedBody(request, MAX_FORM_BYTES, () => tooLarge("the form is too long"));
  const ticket = new URLSearchParams(new TextDecoder().decode(form)).get("ticket") ?? "";
  const session = unsealed(parts, "ticket", host, ticket);
  if (!session) return refusal(403, "What leads here is good for a minute: open it anew from the cluster's page.");
  const value = sealed(parts, "session", host, { ...session, until: parts.now() + SESSION_MS });
  // Not Strict: the page is another site, and so the one who logs in to the pod by a third may come from.
  const cookie = `${COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${SESSION_MS / 1000}`;
  // No redirect: that would be part of what the page's form does, and where the pod then leads must be no form's business.
  return new Response('<!doctype html><meta http-equiv="refresh" content="0;url=/">', {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "set-cookie": cookie,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

const cookiesOf = (header: string) => header.split(";");

const cookieOf = (headers: Headers): string =>
  cookiesOf(headers.get("cookie") ?? "")
    .find((cookie) => OUR_COOKIE.test(cookie))
    ?.replace(OUR_COOKIE, "")
    .trim() ?? "";

/** The pod is not told what it is shown by. */
const withoutOurs = (headers: HeaderList): HeaderList =>
  headers.flatMap(([name, value]): HeaderList => {
    if (name !== "cookie") return [[name, value]];
    const theirs = cookiesOf(value).filter((cookie) => !OUR_COOKIE.test(cookie));
    return theirs.length > 0 ? [[name, theirs.join(";").trim()]] : [];
  });

/**
 * What pages elsewhere have a browser ask: cookies go along from hosts of the same domain, and so from other pods. They may
 * link here, and that is all. https://www.w3.org/TR/fetch-metadata/
 */
function isForeign({ url, method, headers }: Request): boolean {
  const said = (name: string) => headers.get(`sec-fetch-${name}`);
  const origin = headers.get("origin");
  // Chromium says nothing else of a WebSocket, nor do older browsers of anything.
  if (said("site") === null && origin !== null) return origin.replace(/^https?:\/\//, "") !== new URL(url).host;
  if (!["cross-site", "same-site"].includes(said("site") ?? "")) return false;
  return method !== "GET" || said("mode") !== "navigate" || said("dest") !== "document";
}

/** A pod's cookies are its host's own, and never ours. */
function keptApart(answer: Response): Response {
  const { headers } = answer;
  const cookies = headers.getSetCookie().filter((cookie) => !OUR_COOKIE.test(cookie));
  headers.delete("set-cookie");
  for (const cookie of cookies) headers.append("set-cookie", cookie.replace(/;\s*domain\s*=[^;]*/gi, ""));
  return answer;
}

async function refused(answer: Response): Promise<Response> {
  if (answer.status === 401) return refusal(403, "The login by which this was opened is over: open it anew.");
  const { message } = (await answer.json().catch(() => ({}))) as Partial<Status>;
  return refusal(answer.status, message ?? "The cluster does not answer.");
}

const refusal = (status: number, message: string): Response =>
  new Response(`${message}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
