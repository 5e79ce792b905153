import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import type { CoreV1HTTPGetAction } from "../../worker/kinds/generated/types.ts";
import { MOST_OUTPUT, netError, portOf, type Target, type Verdict } from "./handler.ts";

const MOST_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MINOR = "1.35";
/** What OpenSSL says of a server that answers without TLS. */
const NO_TLS = /wrong version number|packet length too long|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/;
const HTTP_TO_HTTPS = "http: server gave HTTP response to HTTPS client";

type Headers = Record<string, string | string[]>;
type Answer = { url: URL; status: number; body: string };
/** What no answer came for, in the words of Go's net/http, which users of Kubernetes know and search for. */
type Failure = { failure: string };

function urlOf(action: CoreV1HTTPGetAction, { container, ip }: Target): URL {
  const scheme = (action.scheme || "HTTP").toLowerCase();
  const host = action.host || ip;
  const path = action.path?.startsWith("/") ? action.path : `/${action.path ?? ""}`;
  return new URL(`${scheme}://${host.includes(":") ? `[${host}]` : host}:${portOf(action.port, container)}${path}`);
}

/** A user's header stands in for one of ours; an empty Accept sends none. */
function headersOf({ httpHeaders = [] }: CoreV1HTTPGetAction, purpose: string): Headers {
  const headers: Headers = {};
  for (const { name, value } of httpHeaders) {
    const key = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name;
    const before = headers[key];
    headers[key] = before === undefined || key.toLowerCase() === "host" ? value : [before, value].flat();
  }
  const keyOf = (name: string) => Object.keys(headers).find((key) => key.toLowerCase() === name);
  if (!keyOf("user-agent")) headers["User-Agent"] = `kube-${purpose}/${MINOR}`;
  const accept = keyOf("accept");
  if (accept === undefined) headers.Accept = "*/*";
  else if (headers[accept] === "") delete headers[accept];
  return headers;
}

/** Redirects that lead to another host are no failure, but users are warned of them. */
export async function probeHttp(action: CoreV1HTTPGetAction, target: Target, timeoutMs: number): Promise<Verdict> {
  const answer = await follow(urlOf(action, target), headersOf(action, "probe"), timeoutMs);
  if ("failure" in answer) return { ok: false, output: answer.failure };
  const { status, body } = answer;
  if (status < 200 || status >= 400) return { ok: false, output: `HTTP probe failed with statuscode: ${status}` };
  if (status < 300) return { ok: true, output: body };
  return { ok: true, output: "", warning: `Probe terminated redirects, Response body: ${body}` };
}

/** Any answer will do. One that comes without TLS though it was asked for makes the hook ask once more, without. */
export async function hookHttp(action: CoreV1HTTPGetAction, target: Target, timeoutMs: number): Promise<Verdict> {
  const url = urlOf(action, target);
  const headers = headersOf(action, "lifecycle");
  const answer = await follow(url, headers, timeoutMs);
  if (!("failure" in answer)) return { ok: true, output: "" };
  if (!answer.failure.endsWith(HTTP_TO_HTTPS)) return { ok: false, output: answer.failure };
  url.protocol = "http:";
  const plain = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization");
  const again = await follow(url, Object.fromEntries(plain), timeoutMs);
  if ("failure" in again) return { ok: false, output: answer.failure };
  const warning = `request to HTTPS lifecycle hook ${url.host} got HTTP response, retry with HTTP succeeded`;
  return { ok: true, output: "", warning };
}

async function follow(first: URL, headers: Headers, timeoutMs: number): Promise<Answer | Failure> {
  const signal = AbortSignal.timeout(timeoutMs);
  const failed = (url: URL, why: string): Failure => ({ failure: `Get "${url.href}": ${why}` });
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(url, headers, signal);
    if (typeof answer === "string") return failed(url, answer);
    const next = REDIRECTS.has(answer.status) && answer.location ? URL.parse(answer.location, url.href) : undefined;
    if (!next || next.hostname !== first.hostname) return { url, status: answer.status, body: answer.body };
    url = next;
    if (redirects + 1 >= MOST_REDIRECTS) return failed(url, `stopped after ${MOST_REDIRECTS} redirects`);
  }
}

/** Resolves to why there is no answer, if there is none. */
function ask(
  url: URL,
  headers: Headers,
  signal: AbortSignal,
): Promise<{ status: number; body: string; location?: string } | string> {
  return new Promise((resolve) => {
    const get = url.protocol === "https:" ? httpsGet : httpGet;
    // Programs that speak HTTP badly are judged by what they mean.
    const lenient = { rejectUnauthorized: false, insecureHTTPParser: true };
    const options = { headers, signal, agent: false as const, ...lenient };
    const request = get(url, options, (response: IncomingMessage) => {
      const { statusCode: status = 0, headers: given } = response;
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        if (body.length < MOST_OUTPUT) body = (body + chunk).slice(0, MOST_OUTPUT);
      });
      response.on("end", () => resolve({ status, body, location: given.location }));
      response.on("error", (error) =>
        resolve(
          signal.aborted
            ? "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
            : error.message,
        ),
      );
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) resolve("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
      else if (url.protocol === "https:" && NO_TLS.test(`${error.code} ${error.message}`)) resolve(HTTP_TO_HTTPS);
      else resolve(netError(error, url.hostname, Number(url.port || (url.protocol === "https:" ? 443 : 80))));
    });
  });
}
