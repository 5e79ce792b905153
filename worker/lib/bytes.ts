const encoder = new TextEncoder();

/** Text as a header carries it, which is bytes: a character for each byte of its UTF-8. */
export const headerBytes = (text: string): string => String.fromCharCode(...encoder.encode(text));

/** The chunks one after another. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
