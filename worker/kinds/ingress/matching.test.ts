import { describe, expect, test } from "vitest";
import { type Incoming, meets } from "./matching.ts";
import { inOrder, type Match } from "./order.ts";

const asked = (change: Partial<Incoming> = {}, headers: Record<string, string> = {}): Incoming => ({
  host: "a.com",
  path: "/",
  method: "GET",
  query: "",
  header: (name) => headers[name],
  ...change,
});
const prefix = (path: string, more: Partial<Match> = {}): Match => ({ path, isExact: false, ...more });

describe("a rule is met", () => {
  test.each<[Match, string, boolean]>([
    [prefix("/a"), "/a/b", true],
    [prefix("/a"), "/ab", false],
    [{ path: "/a", isExact: true }, "/a/", false],
    [prefix("/v[0-9]+/.*", { isPattern: true }), "/v12/x", true],
    [prefix("/v[0-9]+", { isPattern: true }), "/v12/x", false],
    [prefix("/(", { isPattern: true }), "/(", false],
  ])("%j by %s: %s", (match, path, isMet) => {
    expect(meets(match, asked({ path }))).toBe(isMet);
  });

  test("by a method, and by all headers and parts of the query that it names", () => {
    const match = prefix("", {
      method: "POST",
      headers: [{ name: "version", value: "2" }],
      queries: [{ name: "animal", value: "wh.*", isPattern: true }],
    });
    const good = { method: "POST", query: "?x=1&animal=whale&animal=dog" };
    expect(meets(match, asked(good, { version: "2" }))).toBe(true);
    expect(meets(match, asked({ ...good, method: "GET" }, { version: "2" }))).toBe(false);
    expect(meets(match, asked(good, { version: "2,3" }))).toBe(false);
    expect(meets(match, asked(good))).toBe(false);
    expect(meets(match, asked({ ...good, query: "?animal=dog" }, { version: "2" }))).toBe(false);
    expect(meets(match, asked({ ...good, query: "" }, { version: "2" }))).toBe(false);
  });
});

test("exact paths go first, then patterns, longer prefixes, methods, more headers, more of the query", () => {
  const header = { name: "a", value: "b" };
  const rules: Match[] = [
    { path: "/", isExact: true },
    prefix("/.*", { isPattern: true }),
    prefix("/long/one"),
    prefix("/one", { method: "GET" }),
    prefix("/one", { headers: [header, header] }),
    prefix("/one", { headers: [header], queries: [header] }),
    prefix("/one", { headers: [header] }),
    prefix("/one", { queries: [header, header] }),
    prefix("/one"),
    prefix(""),
  ];
  expect(rules.toReversed().sort(inOrder)).toEqual(rules);
});
