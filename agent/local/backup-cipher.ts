/**
 * A file that only a passphrase opens: a line of text that says how, then records of up to 64 KiB, each sealed with
 * AES-256-GCM. A record's nonce is its number and whether it is the last (the STREAM construction,
 * https://eprint.iacr.org/2015/189), so none can be lost, moved or cut off; the key is of this file alone, scrypt
 * (RFC 7914) of the passphrase and the file's salt.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { BackupError } from "../../worker/lib/backup-format.ts";

/** How an encrypted file begins. */
export const ENCRYPTED = "skerry.backup.encrypted ";
const FORM = 1;
/** 32 MB and a tenth of a second a guess. */
const COST = { n: 2 ** 15, r: 8, p: 1 };
const MAX_COST_BYTES = 256 * 1024 * 1024;
const RECORD_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const MAX_HEADER_BYTES = 1000;

type Header = { form: number; n: number; r: number; p: number; salt: string };
type Key = { key: Buffer; header: Buffer };

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

async function keyOf(passphrase: string, line: string): Promise<Key> {
  const { n, r, p, salt } = JSON.parse(line.slice(ENCRYPTED.length)) as Header;
  const options = { N: n, r, p, maxmem: MAX_COST_BYTES };
  return {
    key: await derive(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), KEY_BYTES, options),
    header: Buffer.from(`${line}\n`),
  };
}

function nonce(record: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(record, 7);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

/** Pieces of so many bytes; the last may be shorter, and is known to be the last. */
async function* pieces(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ bytes: Buffer; isLast: boolean }> {
  let held = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    // Of what comes at the end it is only then known that it is the last.
    for (; held.length > size; held = held.subarray(size)) yield { bytes: held.subarray(0, size), isLast: false };
  }
  yield { bytes: held, isLast: true };
}

export async function* encrypted(chunks: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const about: Header = { form: FORM, ...COST, salt: randomBytes(SALT_BYTES).toString("base64") };
  const { key, header } = await keyOf(passphrase, `${ENCRYPTED}${JSON.stringify(about)}`);
  yield header;
  let record = 0;
  for await (const { bytes, isLast } of pieces(chunks, RECORD_BYTES)) {
    const cipher = createCipheriv("aes-256-gcm", key, nonce(record++, isLast));
    cipher.setAAD(header);
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Throws BackupError for a wrong passphrase and for what was changed or cut off. */
export async function* decrypted(chunks: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const { line, rest } = await firstLine(chunks);
  const { form } = JSON.parse(line.slice(ENCRYPTED.length)) as Header;
  if (form !== FORM) throw new BackupError(`the backup is encrypted in a newer way (${form}) than this release knows`);
  const { key, header } = await keyOf(passphrase, line);
  let record = 0;
  for await (const { bytes, isLast } of pieces(rest, RECORD_BYTES + TAG_BYTES)) {
    const cipher = createDecipheriv("aes-256-gcm", key, nonce(record++, isLast));
    cipher.setAAD(header);
    try {
      cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      yield Buffer.concat([cipher.update(bytes.subarray(0, -TAG_BYTES)), cipher.final()]);
    } catch {
      const isFirst = record === 1;
      throw new BackupError(
        isFirst ? "the passphrase is another, or the backup is corrupted" : "the backup is corrupted or truncated",
      );
    }
  }
}

async function firstLine(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ line: string; rest: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  while (!held.includes(10) && held.length < MAX_HEADER_BYTES) {
    const { value, done } = await iterator.next();
    if (done) break;
    held = Buffer.concat([held, value]);
  }
  const end = held.indexOf(10);
  if (end < 0 || end > MAX_HEADER_BYTES) throw new BackupError("the backup is truncated");
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield held.subarray(end + 1);
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { line: held.subarray(0, end).toString(), rest: rest() };
}
