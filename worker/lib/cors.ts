/** What browsers are told of requests from pages of other origins: https://fetch.spec.whatwg.org/#http-cors-protocol */
import type { Pairs } from "./filters.ts";

/** Origins have `*` for any number of characters in their host; `"*"` stands for all in each list. */
export type Cors = {
  origins: string[];
  credentials?: true;
  methods?: string[];
  headers?: string[];
  exposed?: string[];
  maxAgeSeconds: number;
};

/** Answers differ by it; caches are to know, whoever asks first. */
const VARY: Pairs[number] = ["vary", "Origin"];

type Header = (name: string) => string | undefined;

/** A browser asks whether it may ask. */
export const isPreflight = (method: string, header: Header): boolean =>
  method === "OPTIONS" && header("origin") !== undefined && header("access-control-request-method") !== undefined;

/**
 * Of an origin that is not allowed, or for who names none, no more than that others may hear something else. What a
 * browser asks for stands in the place of `*`.
 */
export function corsHeaders(cors: Cors, header: Header, forPreflight: boolean): Pairs {
  const origin = header("origin");
  if (origin === undefined || !cors.origins.some((allowed) => isAllowed(allowed, origin))) return [VARY];
  const named = (list: readonly string[] | undefined, asked: string) =>
    list?.includes("*") ? header(asked) : list?.join(", ");
  const exposed = cors.exposed?.includes("*") && cors.credentials ? undefined : cors.exposed?.join(", ");
  const all: [name: string, value: string | undefined][] = [
    ["access-control-allow-origin", origin],
    ["access-control-allow-credentials", cors.credentials && "true"],
    ["access-control-expose-headers", exposed],
    VARY,
  ];
  if (forPreflight)
    all.push(
      ["access-control-allow-methods", named(cors.methods, "access-control-request-method")],
      ["access-control-allow-headers", named(cors.headers, "access-control-request-headers")],
      ["access-control-max-age", String(cors.maxAgeSeconds)],
    );
  return all.flatMap(([name, value]): Pairs => (value ? [[name, value]] : []));
}

function isAllowed(allowed: string, origin: string): boolean {
  const [before = "", after] = allowed.split("*");
  if (after === undefined) return allowed === origin;
  return origin.length >= allowed.length - 1 && origin.startsWith(before) && origin.endsWith(after);
}
