/**
 * How bytes come into the bucket: a body of any length, cut into chunks that each isolate can hold. What was put before a
 * client, or the isolate, went away stays, and the upload goes on behind it.
 */
import type { Bucket } from "../edge/bucket.ts";
import type { Ask } from "./ask.ts";
import { overQuota, RegistryError } from "./errors.ts";
import type { Upload } from "./facts.ts";
import { ResumableSha256 } from "./hash.ts";
import { removeAll } from "./parts.ts";

export const CHUNK_BYTES = 2 * 1024 * 1024;
/** Of those that come while many do. */
const LEAST_CHUNK_BYTES = CHUNK_BYTES / 16;
/** A Worker has 128 MB for all its requests, and holds a chunk twice while it is put. */
const MOST_HELD_BYTES = 12 * CHUNK_BYTES;
/** When a client goes away its request may end without a word: what has not gone on for so long counts as over. */
const SILENCE_MS = 60_000;

/** Digits of a chunk's place in its object's name, which is for people to read. */
const DIGITS = 15;

export type Store = {
  bucket: Bucket;
  /** Of all the registry's bytes in the bucket. */
  folder: string;
  ask: Ask;
  now(): number;
  uid(): string;
};

/** `length` in bytes, 0 where it is not known. */
export type Body = { body: AsyncIterable<Uint8Array> | null; length: number };

export type OpenUpload = { repository: string; id: string; upload: Upload };

/** The upload with the body's bytes behind its own. Throws where another request has written to it meanwhile. */
export async function appendBody(
  store: Store,
  { repository, id, upload }: OpenUpload,
  { body, length }: Body,
): Promise<Upload> {
  // What is known to be too much is not read; what is found to be ends the upload, which would count on.
  const refusing = length > 0 && (await store.ask("exceeded", repository, length));
  if (refusing) throw overQuota(refusing);
  const hash = ResumableSha256.from(upload.hash);
  let { size } = upload;
  const most = Math.min(CHUNK_BYTES, length || CHUNK_BYTES);
  for await (const bytes of chunksOf(body ?? [], most, store.now)) {
    hash.update(bytes);
    const name = `${String(size).padStart(DIGITS, "0")}-${store.uid()}`;
    const key = `${store.folder}/${id}/${name}`;
    await store.bucket.put(key, bytes);
    const chunk = { start: size, size: bytes.length, name };
    const kept = await store.ask("append", repository, id, { chunk, hash: hash.state() });
    if (kept !== "kept") {
      await store.bucket.remove([key]);
      if (kept !== "gone") {
        await cancelUpload(store, repository, id);
        throw overQuota(kept);
      }
      throw new RegistryError("BLOB_UPLOAD_INVALID", "another request has written to this upload, or ended it", {
        status: 416,
      });
    }
    size += bytes.length;
  }
  return { size, hash: hash.state() };
}

/** Ends it and takes its bytes out of the bucket: where that is broken off they are garbage, and count until then. */
export async function cancelUpload({ bucket, folder, ask }: Store, repository: string, id: string): Promise<void> {
  if (!(await ask("cancel", repository, id))) return;
  await removeAll(bucket, `${folder}/${id}`);
  await ask("swept", [id]);
}

/** The same bytes, `most` at a time or fewer; the buffer is the next chunk's when the next is asked for. */
async function* chunksOf(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  most: number,
  now: () => number,
): AsyncGenerator<Uint8Array> {
  let held: Held | undefined;
  let buffer = new Uint8Array();
  let filled = 0;
  try {
    for await (const piece of body) {
      for (let at = 0; at < piece.length; ) {
        held ??= hold(most, now());
        held.touched = now();
        if (buffer.length !== held.bytes) buffer = new Uint8Array(held.bytes);
        const taken = piece.subarray(at, at + buffer.length - filled);
        buffer.set(taken, filled);
        filled += taken.length;
        at += taken.length;
        if (filled < buffer.length) continue;
        yield buffer;
        filled = 0;
        holding.delete(held);
        held = hold(most, now());
      }
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  } finally {
    if (held) holding.delete(held);
  }
}

/** `touched` in ms since the epoch. */
type Held = { bytes: number; touched: number };

/** Buffers of this isolate's. */
const holding = new Set<Held>();

/** The more there are, the smaller is the next, since some clients send all layers of an image at once. */
function hold(most: number, now: number): Held {
  for (const held of holding) if (held.touched <= now - SILENCE_MS) holding.delete(held);
  const left = [...holding].reduce((rest, { bytes }) => rest - bytes, MOST_HELD_BYTES);
  const bytes = Math.min(most, Math.max(LEAST_CHUNK_BYTES, Math.floor(left / 8)));
  if (bytes > left)
    throw new RegistryError("TOOMANYREQUESTS", "too much is being pushed at once: come again", {
      headers: { "retry-after": "1" },
    });
  const held = { bytes, touched: now };
  holding.add(held);
  return held;
}
