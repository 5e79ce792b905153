/** An agent as one file: a tar, compressed by gzip, of the programs that an agent consists of. */
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { extract, pack } from "tar-stream";

const MAX_BYTES = 64 * 1024 * 1024;

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export async function packArchive(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const archive = pack();
  for (const [name, bytes] of files) archive.entry({ name, mode: 0o644, mtime: new Date(0) }, Buffer.from(bytes));
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks), { level: 9 });
}

/** Rejects for one that is no archive, or has files anywhere but beside each other. */
export async function readArchive(bytes: Uint8Array): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const archive = extract();
  archive.end(gunzipSync(bytes, { maxOutputLength: MAX_BYTES }));
  for await (const entry of archive) {
    const { name, type } = entry.header;
    if (type !== "file" || !/^[\w.-]+$/.test(name) || name.startsWith("."))
      throw new Error(`the archive has an entry that it should not have: ${name}`);
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(name, Buffer.concat(chunks));
  }
  return files;
}
