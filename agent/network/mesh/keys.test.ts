import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isPublicKey, keysIn, sharedSecret } from "./keys.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a key is made once, for its owner alone, and both ends come to the same secret", () => {
  const [a, b] = [keysIn(join(folder, "a")), keysIn(join(folder, "b"))];
  expect(keysIn(join(folder, "a")).publicKey).toBe(a.publicKey);
  expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, "a"), "utf8")).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  expect(isPublicKey(a.publicKey) && isPublicKey(b.publicKey)).toBe(true);
  const secret = sharedSecret(a.privateKey, b.publicKey);
  expect(secret).toHaveLength(32);
  expect(secret).toEqual(sharedSecret(b.privateKey, a.publicKey));
});

test("what is no key gives no secret", () => {
  const { privateKey } = keysIn(join(folder, "a"));
  expect(sharedSecret(privateKey, "short")).toBeUndefined();
  expect(sharedSecret(privateKey, Buffer.alloc(32).toString("base64"))).toBeUndefined();
});
