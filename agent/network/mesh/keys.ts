/** A node's WireGuard keys: X25519, 32 bytes in base64. */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "../../local/home.ts";

/** What goes before the 32 bytes of a key in DER (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const KEY_BYTES = 32;

export type KeyPair = { privateKey: KeyObject; publicKey: string };

/** Reads the private key from a file, which is made with the first one and is for its owner alone. */
export function keysIn(path: string): KeyPair {
  const known = existsSync(path) ? Buffer.from(readFileSync(path, "utf8"), "base64") : Buffer.alloc(0);
  const raw = known.length === KEY_BYTES ? known : newKey(path);
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, raw]), format: "der", type: "pkcs8" });
  return { privateKey, publicKey: rawOf(createPublicKey(privateKey).export({ format: "der", type: "spki" })) };
}

function newKey(path: string): Buffer {
  const { privateKey } = generateKeyPairSync("x25519");
  const raw = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-KEY_BYTES);
  writeFile(path, `${raw.toString("base64")}\n`);
  return raw;
}

const rawOf = (der: Buffer) => der.subarray(-KEY_BYTES).toString("base64");

export const isPublicKey = (text: string): boolean => /^[A-Za-z0-9+/]{43}=$/.test(text);

/** What this node and one other alone can know; undefined where the other's key is none. */
export function sharedSecret(privateKey: KeyObject, peerKey: string): Buffer | undefined {
  try {
    const key = Buffer.concat([PUBLIC_PREFIX, Buffer.from(peerKey, "base64")]);
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: "der", type: "spki" }) });
  } catch {
    return undefined;
  }
}
