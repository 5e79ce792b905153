import { describe, expect, test } from "vitest";
import { type Cors, corsHeaders, isPreflight } from "./cors.ts";

const header = (headers: Record<string, string>) => (name: string) => headers[name];
const ask = (cors: Partial<Cors>, headers: Record<string, string>, forPreflight = true) =>
  Object.fromEntries(
    corsHeaders({ origins: ["https://a.com"], maxAgeSeconds: 5, ...cors }, header(headers), forPreflight),
  );

describe("an origin", () => {
  test.each<[string, string, boolean]>([
    ["https://a.com", "https://a.com", true],
    ["https://a.com", "http://a.com", false],
    ["https://*.a.com", "https://b.a.com", true],
    ["https://*.a.com", "https://c.b.a.com", true],
    ["https://*.a.com", "https://a.com", false],
    ["https://*.a.com", "https://b.a.com.evil.com", false],
    ["*", "https://any.com", true],
  ])("that is allowed as %s: %s: %s", (allowed, origin, isAllowed) => {
    const told = ask({ origins: [allowed] }, { origin });
    expect(told["access-control-allow-origin"]).toBe(isAllowed ? origin : undefined);
  });
});

test("browsers hear what they may do", () => {
  const cors = { methods: ["GET", "PUT"], headers: ["x-one"], exposed: ["x-two"], credentials: true as const };
  expect(ask(cors, { origin: "https://a.com" })).toEqual({
    "access-control-allow-origin": "https://a.com",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, PUT",
    "access-control-allow-headers": "x-one",
    "access-control-expose-headers": "x-two",
    "access-control-max-age": "5",
    vary: "Origin",
  });
  expect(ask(cors, { origin: "https://a.com" }, false)).not.toHaveProperty("access-control-allow-methods");
  expect(ask(cors, { origin: "https://b.com" })).toEqual({ vary: "Origin" });
  expect(ask(cors, {})).toEqual({ vary: "Origin" });
});

test("in the place of a wildcard stands what was asked for", () => {
  const asked = { "access-control-request-method": "PUT", "access-control-request-headers": "x-a, x-b" };
  const told = ask({ methods: ["*"], headers: ["*"] }, { origin: "https://a.com", ...asked });
  expect([told["access-control-allow-methods"], told["access-control-allow-headers"]]).toEqual(["PUT", "x-a, x-b"]);
  const bare = ask({ methods: ["*"], headers: ["*"], exposed: ["*"], credentials: true }, { origin: "https://a.com" });
  expect(Object.keys(bare).filter((name) => /methods|headers/.test(name))).toEqual([]);
});

test("a browser asks first by OPTIONS, with its origin and a method", () => {
  const all = { origin: "https://a.com", "access-control-request-method": "PUT" };
  expect(isPreflight("OPTIONS", header(all))).toBe(true);
  expect(isPreflight("GET", header(all))).toBe(false);
  expect(isPreflight("OPTIONS", header({ origin: "https://a.com" }))).toBe(false);
});
