import { expect, test } from "vitest";
import { claimsOf, isEnding } from "./issuers.ts";

const tokenOf = (claims: object) => {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  return `x.${btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")}.y`;
};

test("a token ends when a fifth of its time is left", () => {
  const token = tokenOf({ iat: 1000, exp: 2000 });
  expect([1799, 1801, 3000].map((second) => isEnding(token, second * 1000))).toEqual([false, true, true]);
  expect(isEnding(tokenOf({ exp: 2000 }), 1_939_000)).toBe(false);
  expect([isEnding(tokenOf({}), 0), isEnding("opaque", 0), isEnding("", 0)]).toEqual([false, false, false]);
});

test("claims are read whatever letters they have", () => {
  expect(claimsOf(tokenOf({ nonce: "née ÿ?>" }))).toEqual({ nonce: "née ÿ?>" });
});
