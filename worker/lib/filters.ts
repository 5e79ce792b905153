/** What rules change of requests and answers. Plain data, and the functions that do it. */

import type { Cors } from "./cors.ts";

export type Pairs = [name: string, value: string][];

export type HeaderChange = { set?: Pairs; add?: Pairs; remove?: string[] };

/** The whole of a path, or the prefix by which the rule was met. */
export type PathChange = { full: string } | { prefix: string };

export type Rewrite = { host?: string; path?: PathChange };
export type Redirect = { scheme?: string; host?: string; port?: number; path?: PathChange; status: number };
/** Gets a copy of each request, or of so many of a hundred; its answers go nowhere. */
export type Mirror = {
  target: { namespace: string; service: string; port: number | string; speaks?: "h2c" };
  percent?: number;
};

export type Filters = {
  request?: HeaderChange[];
  response?: HeaderChange[];
  rewrite?: Rewrite;
  redirect?: Redirect;
  mirrors?: Mirror[];
  cors?: Cors;
};

/** Those of a rule, and then those of the Service that was chosen. */
export function joined(a: Filters | undefined, b: Filters | undefined): Filters | undefined {
  if (!a || !b) return a ?? b;
  return {
    ...a,
    ...b,
    request: [...(a.request ?? []), ...(b.request ?? [])],
    response: [...(a.response ?? []), ...(b.response ?? [])],
    mirrors: [...(a.mirrors ?? []), ...(b.mirrors ?? [])],
  };
}

/** Removed first, then set, then added to. */
export function changed(headers: Pairs, changes: readonly HeaderChange[] | undefined): Pairs {
  let all = headers;
  for (const { set = [], add = [], remove = [] } of changes ?? []) {
    const gone = new Set([...remove, ...set.map(([name]) => name)].map((name) => name.toLowerCase()));
    all = [...all.filter(([name]) => !gone.has(name.toLowerCase())), ...set];
    for (const [name, value] of add) all = withAdded(all, name, value);
  }
  return all;
}

/** What one header may not say twice is joined by a comma: RFC 9110, 5.3. */
function withAdded(headers: Pairs, name: string, value: string): Pairs {
  const at = headers.findIndex(([known]) => known.toLowerCase() === name.toLowerCase());
  if (at < 0 || name.toLowerCase() === "set-cookie") return [...headers, [name, value]];
  return headers.map(([known, before], i) => (i === at ? [known, `${before},${value}`] : [known, before]));
}

/** `prefix` is what the rule was met by, without the slash at its end. */
export function changedPath(path: string, change: PathChange | undefined, prefix: string): string {
  if (!change) return path;
  if ("full" in change) return change.full || "/";
  const rest = path.slice(prefix.length);
  return `${change.prefix.replace(/\/$/, "")}${rest}` || "/";
}

export type Arrived = { isSecure: boolean; host: string; port: number; path: string; query: string };

const USUAL: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Where a client is sent on to; ports that go without saying are not said. */
export function locationOf(redirect: Redirect, { isSecure, host, port, path, query }: Arrived, prefix: string): string {
  const scheme = redirect.scheme ?? (isSecure ? "https" : "http");
  const to = redirect.port ?? (redirect.scheme ? USUAL[scheme] : port);
  const shown = to === undefined || to === USUAL[scheme] ? "" : `:${to}`;
  return `${scheme}://${redirect.host ?? host}${shown}${changedPath(path, redirect.path, prefix)}${query}`;
}
