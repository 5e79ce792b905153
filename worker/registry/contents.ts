/** How bytes go out again: chunk after chunk, of which none is held in memory; or a range of them. */
import type { Bucket } from "../edge/bucket.ts";
import { RegistryError } from "./errors.ts";
import type { Chunk, Content } from "./facts.ts";

/** Both ends are meant. */
export type Range = { first: number; last: number };

/** One range of bytes, as RFC 9110 §14 writes it; undefined for all others, which may be answered with everything. */
export function rangeOf(header: string | null, size: number): Range | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (first <= last) return { first, last };
  const headers = { "content-range": `bytes */${size}` };
  throw new RegistryError("SIZE_INVALID", "the range holds no byte of the blob", { status: 416, headers });
}

export type Place = { bucket: Bucket; folder: string };

/** The bytes, of which there are so many as was said before any is sent. */
export function streamOf({ bucket, folder }: Place, content: Content, { first, last }: Range): ReadableStream {
  const { readable, writable } = new FixedLengthStream(last - first + 1);
  const wanted = content.chunks.filter(({ start, size }) => start <= last && start + size > first);
  const send = async () => {
    for (const chunk of wanted) {
      const key = `${folder}/${content.upload}/${chunk.name}`;
      const isWhole = chunk.start >= first && chunk.start + chunk.size - 1 <= last;
      if (isWhole) await ((await bucket.open(key)) ?? gone(key)).pipeTo(writable, { preventClose: true });
      else await write(writable, part((await bucket.get(key)) ?? gone(key), chunk, { first, last }));
    }
    await writable.close();
  };
  // Where it breaks off the client sees that less came than was said.
  send().catch((error) => writable.abort(error).catch(() => undefined));
  return readable;
}

/** All of a content, piece by piece. */
export async function* piecesOf({ bucket, folder }: Place, upload: string, chunks: readonly Chunk[]) {
  for (const { name } of chunks) {
    const key = `${folder}/${upload}/${name}`;
    yield (await bucket.get(key)) ?? gone(key);
  }
}

const part = (bytes: Uint8Array, { start }: Chunk, { first, last }: Range): Uint8Array =>
  bytes.subarray(Math.max(0, first - start), last - start + 1);

async function write(writable: WritableStream, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(bytes);
  writer.releaseLock();
}

function gone(key: string): never {
  throw new Error(`the bucket has lost ${key}`);
}
