/**
 * AES-256-GCM, synchronously: a transaction cannot wait, and WebCrypto makes everyone wait. Nonces are random, which
 * is good for 2^32 texts under one key (NIST SP 800-38D §8.3).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { concat } from "../../lib/bytes.ts";

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const encoder = new TextEncoder();

export const newKey = (): Uint8Array => randomBytes(KEY_BYTES);

/** RFC 5869. `info` says what the bytes are for: those for one purpose tell nothing about those for another. */
export const derived = (secret: string, info: string, bytes: number): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", secret, "skerry", info, bytes));

/** Nonce, tag and ciphertext. `context` is not in it, and must be said again to open it. */
export function encrypt(key: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(encoder.encode(context));
  const text = cipher.update(plain);
  cipher.final(); // of GCM it is nothing, and makes the tag
  return concat([nonce, cipher.getAuthTag(), text]);
}

/** Throws where the key or the context is another, or a bit was changed. */
export function decrypt(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array {
  const start = NONCE_BYTES + TAG_BYTES;
  const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
  cipher.setAAD(encoder.encode(context));
  cipher.setAuthTag(sealed.subarray(NONCE_BYTES, start));
  const text = cipher.update(sealed.subarray(start));
  cipher.final(); // of GCM it is nothing, and checks the tag
  return text;
}
