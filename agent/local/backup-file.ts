/** A backup as a file: gzip of `worker/lib/backup-format.ts`'s lines, encrypted where there is a passphrase. */
import { closeSync, createReadStream, createWriteStream, openSync, readSync, renameSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { BackupError } from "../../worker/lib/backup-format.ts";
import { decrypted, ENCRYPTED, encrypted } from "./backup-cipher.ts";

const GZIP = Buffer.from([0x1f, 0x8b]);
/** Keys and credentials are in it. */
const MODE = 0o600;

/** Whole or not at all; `-` is standard output. */
export async function writeBackup(path: string, chunks: AsyncIterable<Uint8Array>, passphrase?: string): Promise<void> {
  const seal = (zipped: AsyncIterable<Uint8Array>) => (passphrase ? encrypted(zipped, passphrase) : zipped);
  if (path === "-") return pipeline(Readable.from(chunks), createGzip(), seal, process.stdout, { end: false });
  const temporary = `${path}.new`;
  try {
    const file = createWriteStream(temporary, { mode: MODE, flush: true });
    await pipeline(Readable.from(chunks), createGzip(), seal, file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The text, in pieces. Also of a file that was not compressed, as `kubectl get --raw /skerry/backup` writes it. */
export function readBackup(path: string, passphrase?: string): AsyncIterable<Uint8Array> {
  const start = startOf(path);
  const file = createReadStream(path) as AsyncIterable<Uint8Array>;
  if (start.subarray(0, ENCRYPTED.length).toString() === ENCRYPTED) {
    if (!passphrase) throw new BackupError(`${path} is encrypted: give its passphrase`);
    return unzipped(decrypted(file, passphrase));
  }
  return start.subarray(0, GZIP.length).equals(GZIP) ? unzipped(file) : file;
}

async function* unzipped(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const source = Readable.from(chunks);
  source.on("error", (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new BackupError(code === "Z_BUF_ERROR" ? "the backup is truncated" : "the backup is corrupted");
  } finally {
    source.destroy();
  }
}

function startOf(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(ENCRYPTED.length);
    return start.subarray(0, readSync(file, start));
  } finally {
    closeSync(file);
  }
}
