import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../process.ts";
import { unpack } from "./data.ts";

let home: string;
let archive: Buffer;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "skerry-"));
  const [source, file] = [join(home, "source"), join(home, "archive.tar")];
  mkdirSync(source);
  writeFileSync(join(source, "file"), "data");
  await run("tar", ["--create", "--file", file, "--directory", source, "file"]);
  archive = readFileSync(file);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** What is in a new folder after that. */
async function unpacked(...chunks: Buffer[]): Promise<string[]> {
  const folder = mkdtempSync(join(home, "into-"));
  await unpack(folder, Readable.from(chunks));
  return readdirSync(folder);
}

test("tar may end before all of an archive that goes on after its end", async () => {
  const zeros = Array.from({ length: 200 }, () => Buffer.alloc(65_536));
  // When it does is chance.
  for (let k = 0; k < 20; k++) expect(await unpacked(archive, ...(k % 2 ? zeros : []))).toEqual(["file"]);
});

test("what is cut, or is no archive, is refused", async () => {
  await expect(unpacked(archive.subarray(0, 1024))).rejects.toThrow("truncated");
  await expect(unpacked(archive.subarray(0, 700))).rejects.toThrow("not unpacked");
  await expect(unpacked(Buffer.from("no archive".repeat(100)))).rejects.toThrow("not unpacked");
});

test("one that breaks off is not taken for whole", async () => {
  const folder = mkdtempSync(join(home, "into-"));
  const broken = Readable.from(
    (async function* () {
      yield archive.subarray(0, 512);
      throw new Error("the connection was lost");
    })(),
  );
  await expect(unpack(folder, broken)).rejects.toThrow("the connection was lost");
});
