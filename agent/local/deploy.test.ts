import { expect, test } from "vitest";
import { ensureBucket } from "./deploy.ts";

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
