import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { gunzipText } from "./gunzip.ts";

const zipped = (text: string) => new Uint8Array(gzipSync(text));

test("text comes whole, however many pieces it is of", async () => {
  const text = Array.from({ length: 20_000 }, (_, n) => `${n} é ${(n * 7919) % 10_007}\n`).join("");
  expect(await gunzipText(zipped(text), Buffer.byteLength(text))).toBe(text);
  expect(await gunzipText(zipped(""), 0)).toBe("");
});

test("what is damaged, cut short or larger than it may be is no text", async () => {
  const damaged = zipped("some words");
  damaged[damaged.length - 6] = (damaged[damaged.length - 6] ?? 0) ^ 1;
  expect(await gunzipText(damaged, 100)).toBeUndefined();
  expect(await gunzipText(zipped("some words").subarray(0, -4), 100)).toBeUndefined();
  expect(await gunzipText(Uint8Array.of(1, 2, 3), 100)).toBeUndefined();
  expect(await gunzipText(zipped("x".repeat(64 * 1024 * 1024)), 4 * 1024 * 1024)).toBeUndefined();
});
