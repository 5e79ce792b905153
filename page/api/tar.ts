/** Archives with one file, and what is in an archive: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (ustar) */

const BLOCK = 512;
const MAX_NAME_BYTES = 100;
const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;

/** The header of a file, which its bytes follow, and then `paddingOf` them. Throws where the name is too long for one. */
export function headerOf(name: string, size: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK);
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > MAX_NAME_BYTES) throw new Error(`The name ${name} has more than ${MAX_NAME_BYTES} bytes.`);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  header.set(bytes, 0);
  put(100, octal(0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(size, 12));
  put(136, octal(0, 12));
  put(148, " ".repeat(8)); // what the checksum counts in its own place
  put(156, "0");
  put(257, "ustar\x0000");
  put(
    148,
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
  );
  return header;
}

/** Up to whole blocks, and the two that end an archive. */
export const paddingOf = (size: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(((BLOCK - (size % BLOCK)) % BLOCK) + 2 * BLOCK);

export type Entry = { name: string; isFile: boolean; data: Uint8Array<ArrayBuffer> };

/** What describes the entry after it, or all. */
const ABOUT_OTHERS = new Set(["x", "g", "L", "K"]);

/** Without what only describes others; so of a name that is too long for a header, only its beginning is told. */
export function* entriesOf(archive: Uint8Array<ArrayBuffer>): Iterable<Entry> {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(archive.subarray(from, from + length)).split("\0", 1)[0] ?? "";
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0) throw new Error("It is no archive.");
    const type = text(at + 156, 1);
    const data = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (data.length < size) throw new Error("The archive ends before its end.");
    if (!ABOUT_OTHERS.has(type)) yield { name: text(at, 100), isFile: type === "0" || type === "", data };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
