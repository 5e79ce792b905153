/**
 * How bytes come into the bucket: a body of any length, cut into chunks that each isolate can hold. What was put before a
 * client, or the isolate, went away stays, and the upload goes on behind it.
 */
import type { Bucket } from "../edge/bucket.ts";
import type { Ask } from "./ask.ts";
import { RegistryError } from "./errors.ts";
import type { Upload } from "./facts.ts";
import { ResumableSha256 } from "./hash.ts";

/** A Worker has 128 MB for all its requests, and holds a chunk twice while it is put. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

/** Digits of a chunk's place in its object's name, which is for people to read. */
const DIGITS = 15;

export type Store = {
  bucket: Bucket;
  /** Of all the registry's bytes in the bucket. */
  folder: string;
  ask: Ask;
  uid(): string;
};

export type OpenUpload = { repository: string; id: string; upload: Upload };

/** The upload with the body's bytes behind its own. Throws where another request has written to it meanwhile. */
export async function appendBody(
  store: Store,
  { repository, id, upload }: OpenUpload,
  body: AsyncIterable<Uint8Array> | null,
): Promise<Upload> {
  const hash = ResumableSha256.from(upload.hash);
  let { size } = upload;
  for await (const bytes of chunksOf(body ?? [])) {
    hash.update(bytes);
    const name = `${String(size).padStart(DIGITS, "0")}-${store.uid()}`;
    const key = `${store.folder}/${id}/${name}`;
    await store.bucket.put(key, bytes);
    const chunk = { start: size, size: bytes.length, name };
    if (!(await store.ask("append", repository, id, { chunk, hash: hash.state() }))) {
      await store.bucket.remove([key]);
      throw new RegistryError("BLOB_UPLOAD_INVALID", "another request has written to this upload, or ended it", {
        status: 416,
      });
    }
    size += bytes.length;
  }
  return { size, hash: hash.state() };
}

/** The same bytes, `CHUNK_BYTES` at a time; the buffer is the next chunk's when the next is asked for. */
async function* chunksOf(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer: Uint8Array | undefined;
  let filled = 0;
  for await (const piece of body) {
    for (let at = 0; at < piece.length; ) {
      buffer ??= new Uint8Array(CHUNK_BYTES);
      const taken = piece.subarray(at, at + CHUNK_BYTES - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < CHUNK_BYTES) continue;
      yield buffer;
      filled = 0;
    }
  }
  if (buffer && filled > 0) yield buffer.subarray(0, filled);
}
