import { expect, test } from "vitest";
import { forwardedOf } from "./app-headers.ts";

/** What the app is told, of a request that the platform tells `cf` of. */
function told(url: string, headers: Record<string, string>, cf: object): Record<string, string> {
  const request = Object.assign(new Request(url, { headers }), { cf });
  return Object.fromEntries(forwardedOf(request, new URL(url)));
}

const lies = { "x-forwarded-for": "192.0.2.9", forwarded: "for=192.0.2.9", "x-real-ip": "192.0.2.9" };

test("an app learns who asked from what the platform knows, and from nobody's word", () => {
  const local = { clientIp: "[::ffff:192.0.2.1]:52064" };
  const headers = { ...lies, "cf-connecting-ip": "192.0.2.9", authorization: "Bearer app", cookie: "a=b" };
  expect(told("https://app.example.com:6443/x", headers, local)).toEqual({
    authorization: "Bearer app",
    cookie: "a=b",
    "x-forwarded-for": "192.0.2.1",
    "x-real-ip": "192.0.2.1",
    "x-forwarded-host": "app.example.com:6443",
    "x-forwarded-port": "6443",
    "x-forwarded-proto": "https",
    forwarded: 'for=192.0.2.1;host="app.example.com:6443";proto=https',
  });
});

test("on Cloudflare it is the header that Cloudflare sets", () => {
  const headers = { "cf-connecting-ip": "2001:db8::1", "cf-ray": "1", "x-skerry-internal": "stream" };
  expect(told("https://app.example.com/", headers, { colo: "AMS" })).toEqual({
    "x-forwarded-for": "2001:db8::1",
    "x-real-ip": "2001:db8::1",
    "x-forwarded-host": "app.example.com",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
    forwarded: 'for="[2001:db8::1]";host="app.example.com";proto=https',
  });
});

test("where nobody knows it is not made up", () => {
  const found = told("http://app.example.com/", { ...lies, "cf-connecting-ip": "192.0.2.9" }, {});
  expect(found).toEqual({
    "x-forwarded-host": "app.example.com",
    "x-forwarded-port": "80",
    "x-forwarded-proto": "http",
    forwarded: 'for=unknown;host="app.example.com";proto=http',
  });
});
