import { expect, test } from "vitest";
import { changed, changedPath, joined, locationOf, type PathChange, type Redirect } from "./filters.ts";

test("headers are removed, set and added to, whatever the case of their names", () => {
  const headers: [string, string][] = [
    ["Host", "a.com"],
    ["X-Old", "1"],
    ["x-secret", "s"],
  ];
  const change = { set: [["x-old", "2"]] as [string, string][], remove: ["X-Secret"] };
  expect(
    changed(headers, [
      change,
      {
        add: [
          ["X-OLD", "3"],
          ["x-new", "n"],
        ],
      },
    ]),
  ).toEqual([
    ["Host", "a.com"],
    ["x-old", "2,3"],
    ["x-new", "n"],
  ]);
  expect(changed(headers, undefined)).toBe(headers);
});

test.each<[string, PathChange, string, string]>([
  ["/a/b", { full: "/x" }, "", "/x"],
  ["/foo/bar", { prefix: "/xyz" }, "/foo", "/xyz/bar"],
  ["/foo/bar", { prefix: "/xyz/" }, "/foo", "/xyz/bar"],
  ["/foo", { prefix: "/xyz" }, "/foo", "/xyz"],
  ["/foo/", { prefix: "/xyz" }, "/foo", "/xyz/"],
  ["/foo/bar", { prefix: "/" }, "/foo", "/bar"],
  ["/foo", { prefix: "/" }, "/foo", "/"],
  ["/bar", { prefix: "/xyz" }, "", "/xyz/bar"],
])("%s by %j of %j is %s", (path, change, prefix, expected) => {
  expect(changedPath(path, change, prefix)).toBe(expected);
});

const arrived = { isSecure: false, host: "a.com", port: 80, path: "/p", query: "?q" };

test.each<[Partial<Redirect>, Partial<typeof arrived>, string]>([
  [{}, {}, "http://a.com/p?q"],
  [{}, { port: 8080 }, "http://a.com:8080/p?q"],
  [{ scheme: "https" }, { port: 8080 }, "https://a.com/p?q"],
  [{ scheme: "https", port: 443 }, {}, "https://a.com/p?q"],
  [{ scheme: "http", port: 443 }, {}, "http://a.com:443/p?q"],
  [{ port: 8080 }, {}, "http://a.com:8080/p?q"],
  [{ host: "b.com", path: { full: "/x" } }, { isSecure: true, port: 443 }, "https://b.com/x?q"],
])("a redirect of %j for %j leads to %s", (redirect, change, expected) => {
  expect(locationOf({ status: 302, ...redirect }, { ...arrived, ...change }, "")).toBe(expected);
});

test("a rule's changes come before those of the Service that was chosen", () => {
  const [a, b] = [{ add: [["a", "1"]] as [string, string][] }, { add: [["a", "2"]] as [string, string][] }];
  const both = joined({ request: [a] }, { request: [b] });
  expect(changed([], both?.request)).toEqual([["a", "1,2"]]);
  expect(joined(undefined, { request: [a] })).toEqual({ request: [a] });
});
