/**
 * Messages to browsers: encrypted for one subscription (RFC 8291, in the coding of RFC 8188) and signed by the cluster's key
 * (VAPID, RFC 8292), so that the push service that carries them neither reads them nor takes them from others.
 */
import { importJWK, type JWK, SignJWT } from "jose";
import { concat, fromBase64Url, toBase64Url } from "../bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a browser's PushSubscription says, as JSON: https://www.w3.org/TR/push-api/#dom-pushsubscription-tojson */
export type Subscription = { endpoint: string; keys: { p256dh: string; auth: string } };

/** What is new in each message; from outside for the RFC's own example. */
export type Fresh = { salt: Bytes; keys: KeyPair };
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type KeyPair = { publicKey: Key; privateKey: Key };

const P256 = { name: "ECDH", namedCurve: "P-256" };
const SALT_BYTES = 16;
/** A message is one record. */
const RECORD_BYTES = 4096;
const LAST_RECORD = 2;
const KEY_BITS = 256;

const encoder = new TextEncoder();

export async function fresh(): Promise<Fresh> {
  const keys = (await crypto.subtle.generateKey(P256, true, ["deriveBits"])) as KeyPair;
  return { salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)), keys };
}

/** The body of a request to the endpoint. */
export async function encrypted(text: string, { keys: { p256dh, auth } }: Subscription, own: Fresh): Promise<Bytes> {
  const [salt, theirs] = [own.salt, fromBase64Url(p256dh)];
  const ours = new Uint8Array((await crypto.subtle.exportKey("raw", own.keys.publicKey)) as ArrayBuffer);
  const imported = await crypto.subtle.importKey("raw", theirs, P256, false, []);
  // workers-types has another name for this field than the standard and workerd have.
  const algorithm = { name: "ECDH", public: imported } as unknown as Parameters<typeof crypto.subtle.deriveBits>[0];
  const shared = await crypto.subtle.deriveBits(algorithm, own.keys.privateKey, KEY_BITS);
  const secret = await derived(shared, fromBase64Url(auth), [encoder.encode("WebPush: info\0"), theirs, ours], 32);
  const key = await derived(secret, salt, [encoder.encode("Content-Encoding: aes128gcm\0")], 16);
  const iv = await derived(secret, salt, [encoder.encode("Content-Encoding: nonce\0")], 12);
  const cipher = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const plain = concat([encoder.encode(text), Uint8Array.of(LAST_RECORD)]);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, cipher, plain));
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, RECORD_BYTES);
  return concat([salt, size, Uint8Array.of(ours.length), ours, sealed]);
}

async function derived(
  from: ArrayBuffer,
  salt: Bytes,
  info: readonly Uint8Array[],
  bytes: number,
): Promise<ArrayBuffer> {
  const key = await crypto.subtle.importKey("raw", from, "HKDF", false, ["deriveBits"]);
  return crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info: concat(info) }, key, bytes * 8);
}

/** Push services want to know whom to turn to. */
const SUBJECT = "https://skerry.dev";
const VALID_S = 12 * 3600;

/** The `Authorization` by which a push service knows the cluster. `key`: the private key as a JWK. */
export async function vapid(key: JWK, endpoint: string, now: number): Promise<string> {
  const expires = Math.floor(now / 1000) + VALID_S;
  const token = await new SignJWT({ aud: new URL(endpoint).origin, sub: SUBJECT, exp: expires })
    .setProtectedHeader({ typ: "JWT", alg: "ES256" })
    .sign(await importJWK(key, "ES256"));
  const point = concat([Uint8Array.of(4), fromBase64Url(key.x ?? ""), fromBase64Url(key.y ?? "")]);
  return `vapid t=${token}, k=${toBase64Url(point)}`;
}
