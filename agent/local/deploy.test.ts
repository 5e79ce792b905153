import { expect, test } from "vitest";
import { ensureBucket, loginSecrets } from "./deploy.ts";
import type { LoginSettings } from "./logins.ts";

test("a bucket is made, and one that is there already is taken; what else is wrong is told", async () => {
  const asked: string[] = [];
  const wrangler = (says?: string) => async (args: readonly string[]) => {
    asked.push(args.join(" "));
    if (says) throw new Error(`wrangler r2 ended with 1:\n${says}`);
  };
  await ensureBucket(wrangler(), "shore");
  await ensureBucket(wrangler("The bucket you tried to create already exists, and you own it. [code: 10004]"), "shore");
  expect(asked).toEqual(["r2 bucket create shore", "r2 bucket create shore"]);
  const off = "Please enable R2 through the Cloudflare Dashboard. [code: 10042]";
  await expect(ensureBucket(wrangler(off), "shore")).rejects.toThrow(off);
});

test("settings that are not named stay, but no client's secret outlives its issuer", () => {
  const named = (logins?: LoginSettings) => Object.entries(loginSecrets(logins)).filter(([, value]) => value);
  expect(named()).toEqual([]);
  expect(named({ tokens: "t" })).toEqual([["SKERRY_TOKENS", "t"]]);
  expect(named({ authentication: "a" })).toEqual([
    ["SKERRY_AUTHENTICATION", "a"],
    ["SKERRY_LOGIN_CLIENTS", "{}"],
  ]);
  expect(named({ authentication: "a", loginClients: "c" })[1]).toEqual(["SKERRY_LOGIN_CLIENTS", "c"]);
});
