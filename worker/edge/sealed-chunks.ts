/** What goes into the bucket is sealed with a key that derives from the deployment's secret, and named by nobody else's digests. */
import { concat, hex } from "../lib/bytes.ts";
import { ApiError } from "../lib/status.ts";
import { decrypt, derived, encrypt, KEY_BYTES } from "../storage/encryption/cipher.ts";

const NAME_BYTES = 4;
const DIGEST_DIGITS = 32;

const keyOf = (secret: string) => ({
  name: derived(secret, "the name of the key of the bucket", NAME_BYTES),
  key: derived(secret, "the key of the bucket", KEY_BYTES),
});

/** The deployment's secrets: the first seals, all open. */
export class Seal {
  readonly #secrets: readonly [string, ...string[]];

  constructor(secrets: readonly [string, ...string[]]) {
    this.#secrets = secrets;
  }

  /** `key` is where it is to lie: it opens nowhere else. */
  close(bytes: Uint8Array, key: string): Uint8Array {
    const sealing = keyOf(this.#secrets[0]);
    return concat([sealing.name, encrypt(sealing.key, bytes, key)]);
  }

  open(sealed: Uint8Array, key: string): Uint8Array {
    const name = hex(sealed.slice(0, NAME_BYTES));
    const opening = this.#secrets.map(keyOf).find((candidate) => hex(candidate.name) === name);
    const refuse = (why: string) => new ApiError(500, "InternalError", `the bucket's ${key}: ${why}`);
    if (!opening) throw refuse(`sealed under a secret of the deployment that is not given any more (key ${name})`);
    try {
      return decrypt(opening.key, sealed.subarray(NAME_BYTES), key);
    } catch {
      throw refuse("it was changed, or is not all there");
    }
  }

  /** Says of two texts that they are the same to nobody who has not the secret. */
  async digest(text: string): Promise<string> {
    const bytes = derived(this.#secrets[0], "the names of what lies in the bucket", KEY_BYTES);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes as Uint8Array<ArrayBuffer>, algorithm, false, ["sign"]);
    return hex(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text))).slice(0, DIGEST_DIGITS);
  }
}
