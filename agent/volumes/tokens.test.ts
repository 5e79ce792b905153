import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { PodTokens } from "./tokens.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-tokens-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pod = { metadata: { namespace: "default", name: "web", uid: "1" }, spec: { containers: [] } } as CoreV1Pod;
const request = { audience: undefined, expirationSeconds: 600 };
const MINUTE_MS = 60_000;

let now = 0;
let asked = 0;
let online = true;
let made = 0;

/** Tokens of an API server that counts what it gives. */
function tokens(): PodTokens {
  const api = async () => {
    if (!online) throw new Error("no uplink");
    asked++;
    const expirationTimestamp = new Date(now + 10 * MINUTE_MS).toISOString();
    return { code: 201, body: { status: { token: `token-${asked}`, expirationTimestamp } } };
  };
  return new PodTokens(join(folder, `${made}.json`), api, () => now);
}

beforeEach(() => {
  [now, asked, online] = [1e12, 0, true];
  made++;
});

test("a token is kept for four fifths of its life, then it is due, and asked for anew", async () => {
  const own = tokens();
  expect(await own.token(pod, request)).toBe("token-1");
  expect(own.refreshAt()).toBe(now + 8 * MINUTE_MS);
  expect(await own.token(pod, request)).toBe("token-1");
  now += 8 * MINUTE_MS;
  expect(own.refreshAt()).toBeLessThanOrEqual(now);
  own.trying();
  expect(await own.token(pod, request)).toBe("token-2");
  expect(own.refreshAt()).toBe(now + 8 * MINUTE_MS);
});

test("without an uplink the old one stays, and half a minute later is another try", async () => {
  const own = tokens();
  await own.token(pod, request);
  now += 9 * MINUTE_MS;
  online = false;
  own.trying();
  expect(await own.token(pod, request)).toBe("token-1");
  expect(own.refreshAt()).toBe(now + MINUTE_MS / 2);
  online = true;
  now += MINUTE_MS / 2;
  expect(own.refreshAt()).toBeLessThanOrEqual(now);
  expect(await own.token(pod, request)).toBe("token-2");
});

test("the next agent finds the tokens of the last", async () => {
  await tokens().token(pod, request);
  online = false;
  expect(await tokens().token(pod, request)).toBe("token-1");
});

test("a file that was cut off is as none", async () => {
  await tokens().token(pod, request);
  const file = join(folder, `${made}.json`);
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 10));
  expect(await tokens().token(pod, request)).toBe("token-2");
  expect(await tokens().token(pod, request)).toBe("token-2");
});
