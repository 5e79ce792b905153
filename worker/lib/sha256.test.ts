import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256Hex } from "./sha256.ts";

test("digests are those of everyone", () => {
  for (let length = 0; length < 200; length++) {
    const text = "aé".repeat(length).slice(0, length);
    expect(sha256Hex(text)).toBe(createHash("sha256").update(text).digest("hex"));
  }
});
