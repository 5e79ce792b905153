/** Gzip of others, read with a bound: a few megabytes of it may hold gigabytes. */

/** Deflate makes 1032 bytes of one at most, so that a read takes what a piece becomes. */
const PIECE_BYTES = 1024;
const READ_BYTES = 2 * 1024 * PIECE_BYTES;

/** The text; undefined where it is damaged, or larger than that. */
export async function gunzipText(gzipped: Uint8Array<ArrayBuffer>, mostBytes: number): Promise<string | undefined> {
  const { readable, writable } = new DecompressionStream("gzip");
  const reading = readingOf(readable);
  const over = new AbortController();
  feed(writable, gzipped, over.signal).catch(() => {}); // the reader is told of it, too
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    for (let bytes = await reading.next(); bytes; bytes = await reading.next()) {
      length += bytes.length;
      if (length > mostBytes) return undefined;
      text += decoder.decode(bytes, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    return undefined;
  } finally {
    over.abort();
    await reading.end();
  }
}

async function feed(
  to: DecompressionStream["writable"],
  bytes: Uint8Array<ArrayBuffer>,
  over: AbortSignal,
): Promise<void> {
  const writer = to.getWriter();
  for (let at = 0; at < bytes.length && !over.aborted; at += PIECE_BYTES)
    await writer.write(bytes.subarray(at, at + PIECE_BYTES));
  await writer.close();
}

type Reading = { next(): Promise<Uint8Array | undefined>; end(): Promise<void> };

/**
 * In a Worker all that was written is decompressed at once and waits in memory, and a read takes 4 KiB of it but for one that
 * brings a larger buffer. Node.js knows no such reads of these streams, and decompresses what is read.
 */
function readingOf(stream: ReadableStream<Uint8Array>): Reading {
  try {
    const reader = stream.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(READ_BYTES);
    return {
      async next() {
        const { done, value } = await reader.read(new Uint8Array(buffer));
        if (done) return undefined;
        buffer = value.buffer as ArrayBuffer;
        return value;
      },
      end: () => reader.cancel().catch(() => {}),
    };
  } catch {
    const reader = stream.getReader();
    return { next: async () => (await reader.read()).value, end: () => reader.cancel().catch(() => {}) };
  }
}
