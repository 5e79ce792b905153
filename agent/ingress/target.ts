/** What a request asks for: its host and path, or why it is refused before anyone sees it. */
import { hostName } from "../../worker/kinds/ingress/routes.ts";
import { type Pairs, valuesOf } from "./headers.ts";

export type Asked = {
  /** As the client wrote it, with its port. */
  authority: string;
  host: string;
  /** Without the query; dots are resolved. */
  path: string;
  /** Path and query. */
  url: string;
};

/**
 * What goes with an answer of the proxy's own: in how many seconds to come again, HTML in place of the message, or
 * nothing but headers.
 */
export type RefusalExtras = { retryAfter?: number; page?: string; headers?: [name: string, value: string][] };

/** An answer of the proxy's own. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly extras: RefusalExtras;

  constructor(status: number, message: string, extras: RefusalExtras = {}) {
    super(message);
    this.status = status;
    this.extras = extras;
  }
}

/** A name, an address or an address in brackets, and a port. */
const AUTHORITY = /^(?:[\w.*-]+|\[[\da-f:.]+\])?(?::\d*)?$/i;
/** `.` and `..` between slashes, also encoded. */
const DOTS = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Throws a `Refusal`. `headers` have `host` also where HTTP/2 calls it `:authority`. */
export function askedOf(method: string, target: string, headers: Pairs, version: string): Asked {
  if (method === "CONNECT" || method === "TRACE") throw new Refusal(405, `${method} is not served`);
  checkFraming(headers, version);
  const hosts = valuesOf(headers, "host");
  if (hosts.length > 1) throw new Refusal(400, "more than one Host");
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  const authority = absolute?.[1] ?? hosts[0] ?? "";
  if (!AUTHORITY.test(authority)) throw new Refusal(400, "the Host is no host name");
  const rest = absolute ? absolute[2] || "/" : target;
  const url = rest.startsWith("?") ? `/${rest}` : rest;
  if (!url.startsWith("/")) throw new Refusal(400, "the request's target is no path");
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  const resolved = DOTS.test(path) ? resolve(path) : path;
  return { authority, host: hostName(authority), path: resolved, url: resolved + (query < 0 ? "" : url.slice(query)) };
}

/** As browsers do it, and the Worker at the edge. */
function resolve(path: string): string {
  try {
    return new URL(`http://h${path}`).pathname;
  } catch {
    throw new Refusal(400, "the request's target is no path");
  }
}

/** A body whose end two readers could see at two places is not passed on: RFC 9112, 6.3 and 11.2. */
function checkFraming(headers: Pairs, version: string): void {
  const coding = valuesOf(headers, "transfer-encoding");
  const lengths = valuesOf(headers, "content-length");
  if (coding.length > 0 && lengths.length > 0) throw new Refusal(400, "both Content-Length and Transfer-Encoding");
  if (lengths.length > 1) throw new Refusal(400, "more than one Content-Length");
  if (coding.length > 0 && version === "1.0") throw new Refusal(400, "Transfer-Encoding in HTTP/1.0");
  if (coding.length > 1 || (coding[0] ?? "chunked").trim().toLowerCase() !== "chunked")
    throw new Refusal(501, "the only transfer coding that is understood is chunked");
}

/** Whether a request of HTTP/1 has a body. */
export const hasBody = (headers: Pairs): boolean =>
  valuesOf(headers, "transfer-encoding").length > 0 || Number(valuesOf(headers, "content-length")[0] ?? 0) > 0;
