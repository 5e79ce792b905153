/**
 * All that is in a folder as a tar stream, and back: owners, modes, times, extended attributes, links and holes. tar(1)
 * does it, which every machine has.
 */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { run, spawn } from "../../process.ts";

const FLAGS = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"];
/** What is the same gives the same bytes: of an archive that was broken off, what has arrived is known again. */
const SAME = ["--sort=name", "--format=posix", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"];
/** What tar(1) says of files that changed while it read them, or were gone by then. */
const CHANGED = 1;
/** An archive ends with two blocks of zeros. */
const END_BYTES = 1024;
const MOST_SAID = 4096;

/** What came is no archive, or not all of one. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

/** Throws at the end where it is not all of it. `still`: nobody changes anything meanwhile. */
export async function* packed(folder: string, still: boolean): AsyncGenerator<Buffer> {
  const flags = [...FLAGS, "--sparse", "--one-file-system", ...SAME];
  const tar = spawn("tar", ["--create", ...flags, "--directory", folder, "."], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = endOf(tar);
  try {
    yield* tar.stdout as AsyncIterable<Buffer>;
    const { code, said } = await ended;
    if (code !== 0 && (still || code !== CHANGED)) throw new Error(`tar: ${said}`);
  } finally {
    if (tar.exitCode === null) tar.kill("SIGKILL");
  }
}

/** Fills an empty folder with what an archive has, and has it all on the disk before it resolves. Returns its bytes. Throws `ArchiveError`. */
export async function unpack(folder: string, archive: Readable): Promise<number> {
  const flags = [...FLAGS, "--same-owner", "--preserve-permissions", "--delay-directory-restore"];
  const tar = spawn("tar", ["--extract", ...flags, "--directory", folder], { stdio: ["pipe", "ignore", "pipe"] });
  const ended = endOf(tar);
  let bytes = 0;
  let last = Buffer.alloc(0);
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      last = Buffer.concat([last, chunk.subarray(-END_BYTES)]).subarray(-END_BYTES);
      yield chunk;
    }
  };
  try {
    if (!tar.stdin) throw new Error("tar has no input");
    await pipeline(archive, counted, tar.stdin).catch((error: NodeJS.ErrnoException) => {
      // It need not read what comes after the archive's end: then its code tells how it went.
      if (error.code !== "EPIPE" && tar.exitCode === null) throw error;
    });
    const { code, said } = await ended;
    if (code !== 0) throw new ArchiveError(`not unpacked: ${said}`);
  } finally {
    if (tar.exitCode === null) tar.kill("SIGKILL");
  }
  if (last.length < END_BYTES || last.some((byte) => byte !== 0)) throw new ArchiveError("the archive is truncated");
  const synced = await run("sync", ["--file-system", folder]);
  if (synced.code !== 0) throw new Error(`sync: ${synced.stderr.trim()}`);
  return bytes;
}

function endOf(tar: ReturnType<typeof spawn>): Promise<{ code: number; said: string }> {
  let said = "";
  tar.stderr?.on("data", (chunk: Buffer) => {
    if (said.length < MOST_SAID) said += chunk;
  });
  return new Promise((resolve) => {
    tar.once("error", (error) => resolve({ code: -1, said: error.message }));
    tar.once("close", (code) => resolve({ code: code ?? -1, said: said.trim().split("\n")[0] ?? "" }));
  });
}
