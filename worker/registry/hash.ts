/**
 * SHA-256 of what comes in pieces: its state can be kept between them, so that an upload goes on in another isolate, days
 * later, and no byte is read twice.
 */
import { _SHA256, sha512 } from "@noble/hashes/sha2.js";
import { fromBase64, hex, toBase64 } from "../lib/bytes.ts";

const WORDS = 8;
const BLOCK_BYTES = 64;

export class ResumableSha256 extends _SHA256 {
  /** Goes on from what `state` has told. */
  static from(state: string): ResumableSha256 {
    const hash = new ResumableSha256();
    if (state === "") return hash;
    const [length = "", kept = ""] = state.split(" ");
    const view = new DataView(fromBase64(kept).buffer);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = Array.from({ length: WORDS }, (_, at) =>
      view.getUint32(4 * at),
    );
    hash.set(a, b, c, d, e, f, g, h);
    hash.length = Number(length);
    hash.pos = hash.length % BLOCK_BYTES;
    hash.buffer.set(new Uint8Array(view.buffer, 4 * WORDS));
    return hash;
  }

  /** How many bytes came, the eight words, and what is not a whole block yet. */
  state(): string {
    const bytes = new Uint8Array(4 * WORDS + this.pos);
    const view = new DataView(bytes.buffer);
    for (const [at, word] of this.get().entries()) view.setInt32(4 * at, word);
    bytes.set(this.buffer.subarray(0, this.pos), 4 * WORDS);
    return `${this.length} ${toBase64(bytes)}`;
  }

  /** As digests are written; it takes no more bytes then. */
  toDigest(): string {
    return `sha256:${hex(this.digest())}`;
  }
}

/** Clients choose it seldom, and say so only at the end: the bytes are read once more then. */
export async function sha512Digest(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = sha512.create();
  for await (const piece of pieces) hash.update(piece);
  return `sha512:${hex(hash.digest())}`;
}
