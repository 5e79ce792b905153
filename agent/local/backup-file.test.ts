import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ENCRYPTED } from "./backup-cipher.ts";
import { readBackup, writeBackup } from "./backup-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skerry-file-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What does not get smaller, of several records. */
const TEXT = randomBytes(300_000);
async function* chunks() {
  for (let at = 0; at < TEXT.length; at += 70_001) yield TEXT.subarray(at, at + 70_001);
}
async function read(path: string, passphrase?: string): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of readBackup(path, passphrase)) all.push(chunk);
  return Buffer.concat(all);
}
const written = async (name: string, passphrase?: string) => {
  const path = join(folder, name);
  await writeBackup(path, chunks(), passphrase);
  return path;
};

test("a file is gzip, for its owner alone", async () => {
  const path = await written("plain");
  expect(gunzipSync(readFileSync(path)).equals(TEXT)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await read(path)).equals(TEXT)).toBe(true);
});

test("a file that was not compressed is read too", async () => {
  const path = join(folder, "raw");
  writeFileSync(path, TEXT);
  expect((await read(path)).equals(TEXT)).toBe(true);
});

test("an encrypted file says so, and opens with its passphrase alone, however that is composed", async () => {
  const path = await written("sealed", "pässword");
  expect(readFileSync(path).subarray(0, ENCRYPTED.length).toString()).toBe(ENCRYPTED);
  expect((await read(path, "pa\u0308ssword")).equals(TEXT)).toBe(true);
  await expect(read(path)).rejects.toThrow("is encrypted: give its passphrase");
  await expect(read(path, "password")).rejects.toThrow("the passphrase is another");
});

const header = (bytes: Buffer) => bytes.indexOf(10) + 1;
const RECORD = 64 * 1024 + 16;

test.each<[string, (bytes: Buffer) => Buffer]>([
  ["that lacks its last bytes", (bytes) => bytes.subarray(0, -5)],
  ["that ends with a record", (bytes) => bytes.subarray(0, header(bytes) + RECORD)],
  ["of which a bit was changed", (bytes) => Buffer.from(bytes.with(bytes.length - 200, (bytes.at(-200) ?? 0) ^ 1))],
  [
    "of which two records changed places",
    (bytes) => {
      const at = header(bytes);
      const [one, two] = [bytes.subarray(at, at + RECORD), bytes.subarray(at + RECORD, at + 2 * RECORD)];
      return Buffer.concat([bytes.subarray(0, at), two, one, bytes.subarray(at + 2 * RECORD)]);
    },
  ],
  [
    "whose first line was changed",
    (bytes) => Buffer.from(bytes.toString("latin1").replace('"form":1', '"form": 1'), "latin1"),
  ],
])("an encrypted file %s is refused", async (_, change) => {
  const path = await written("changed", "secret");
  writeFileSync(path, change(readFileSync(path)));
  await expect(read(path, "secret")).rejects.toThrow(/corrupted|truncated/);
});

test("a compressed file that is cut off or changed is refused", async () => {
  const path = await written("cut");
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, -20));
  await expect(read(path)).rejects.toThrow("the backup is truncated");
  writeFileSync(path, Buffer.concat([whole.subarray(0, 5000), Buffer.alloc(50, 255), whole.subarray(5050)]));
  await expect(read(path)).rejects.toThrow("the backup is corrupted");
  expect(whole.length).toBeGreaterThan(3 * RECORD);
});

test("nothing is left of a file that could not be written whole", async () => {
  const path = join(folder, "broken");
  writeFileSync(path, "the one before");
  async function* breaking() {
    yield TEXT;
    throw new Error("the connection was lost");
  }
  await expect(writeBackup(path, breaking())).rejects.toThrow("the connection was lost");
  expect(readFileSync(path, "utf8")).toBe("the one before");
  expect(() => statSync(`${path}.new`)).toThrow();
});
