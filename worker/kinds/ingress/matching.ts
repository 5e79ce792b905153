/** Whether a request meets a rule of a table. Apart from the tables, since reading patterns takes memory. */
import type { Match, ValueMatch } from "./order.ts";
import { fits } from "./patterns.ts";

/** What of a request rules are about. */
export type Incoming = {
  /** As `hostName` gives it. */
  host: string;
  /** Without a query, its dots resolved. */
  path: string;
  method: string;
  /** With its question mark, or "". */
  query: string;
  /** Of a name in small letters; several of one name are joined by commas. */
  header(name: string): string | undefined;
};

export function meets(match: Match, asked: Incoming): boolean {
  if (!meetsPath(match, asked.path)) return false;
  if (match.method !== undefined && match.method !== asked.method) return false;
  if (match.headers && !match.headers.every((header) => hasValue(header, asked.header(header.name)))) return false;
  if (!match.queries) return true;
  const query = new URLSearchParams(asked.query);
  return match.queries.every((one) => hasValue(one, query.get(one.name) ?? undefined));
}

/** Prefixes are of whole elements: `/a` is one of `/a/b`, not of `/ab`. */
function meetsPath({ path: rule, isExact, isPattern }: Match, path: string): boolean {
  if (isExact) return path === rule;
  if (isPattern) return fits(rule, path);
  return path.startsWith(rule) && (path.length === rule.length || path[rule.length] === "/");
}

function hasValue({ value, isPattern }: ValueMatch, found: string | undefined): boolean {
  if (found === undefined) return false;
  return isPattern ? fits(value, found) : found === value;
}
