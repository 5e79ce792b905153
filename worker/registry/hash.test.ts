import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ResumableSha256, sha512Digest } from "./hash.ts";

const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 });
const digest = (algorithm: string, all: readonly Uint8Array[]) =>
  `${algorithm}:${createHash(algorithm).update(Buffer.concat(all)).digest("hex")}`;

test("SHA-256 goes on from its state after any piece", () => {
  fc.assert(
    fc.property(pieces, (all) => {
      let state = "";
      for (const piece of all) {
        const hash = ResumableSha256.from(state);
        hash.update(piece);
        state = hash.state();
      }
      expect(ResumableSha256.from(state).toDigest()).toBe(digest("sha256", all));
    }),
  );
});

test("SHA-512 is of all pieces", async () => {
  const all = [new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array([3])];
  async function* each() {
    yield* all;
  }
  expect(await sha512Digest(each())).toBe(digest("sha512", all));
});
