import { expect, test } from "vitest";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { Access, pathOfLogin } from "./access.ts";
import { RegistryError } from "./errors.ts";

/** Knows one token, which may nothing; nobody may nothing either. */
const cluster = {
  async fetch({ headers }: Request) {
    const given = headers.get("authorization") ?? "";
    if (given === "Bearer good") return new Response(null, { headers: { [GRANT_HEADER]: "1" } });
    return Response.json({}, { status: /^bearer \S/i.test(given) ? 401 : 403 });
  },
};
const asked = (authorization: string) => new Request("https://c/v2/", { headers: { authorization } });
const basic = (text: string) => `Basic ${btoa(text)}`;

test.each([basic("a:"), basic("a:to\nken"), basic("a:to ken"), basic("good"), "Basic %%", "Bearer  good", "Digest x"])(
  "%j is nobody's word, and is asked for again",
  async (authorization) => {
    const refused = await new Access(asked(authorization), cluster).checkKnown().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RegistryError);
    const answer = (refused as RegistryError).answer();
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, expect.stringMatching(/^Basic /)]);
  },
);

test("a password is a token, whatever the name", async () => {
  for (const authorization of [basic("a:good"), basic(":good"), "Bearer good"])
    await new Access(asked(authorization), cluster).checkKnown();
});

test("a login names its cluster, since it can say no path", () => {
  const path = (user: string, at = "/v2/") => pathOfLogin(asked(basic(`${user}:x`)), at);
  expect(["clusters/shore", "clusters/shore/jane"].map((user) => path(user))).toEqual(
    Array(2).fill("/v2/clusters/shore/"),
  );
  expect(["jane", "clusters/", "clusters"].map((user) => path(user))).toEqual(Array(3).fill("/v2/"));
  expect(path("clusters/shore", "/v2/app/tags/list")).toBe("/v2/app/tags/list");
  expect(pathOfLogin(new Request("https://c/v2"), "/v2")).toBe("/v2");
});
