/** Whether a request meets a rule of a table. Apart from the tables, since reading patterns takes memory. */
import { RE2JS } from "re2js";
import type { Match, ValueMatch } from "./order.ts";

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

/** Patterns that are kept, so that they are not read anew for each request. */
const MOST_PATTERNS = 1000;
const patterns = new Map<string, RE2JS | undefined>();

/** What is no pattern matches nothing. */
function fits(pattern: string, text: string): boolean {
  return compiled(pattern)?.matches(text) ?? false;
}

function compiled(pattern: string): RE2JS | undefined {
  if (patterns.has(pattern)) return patterns.get(pattern);
  if (patterns.size >= MOST_PATTERNS) patterns.clear();
  let made: RE2JS | undefined;
  try {
    made = RE2JS.compile(pattern);
  } catch {
    made = undefined;
  }
  patterns.set(pattern, made);
  return made;
}

export const isPattern = (text: string): boolean => compiled(text) !== undefined;
