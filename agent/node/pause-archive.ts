import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { architecture } from "./architecture.ts";

const BASE = 0x400000;
const ELF_HEADER = 64;
const PROGRAM_HEADER = 56;

/**
 * The machine code of `for (;;) pause()`, as there are programs of a hundred bytes but no compiler on users' machines.
 * It holds namespaces, so it needs no more: it has no children to reap, and it is ended by SIGKILL.
 */
const loops: Record<string, { machine: number; code: number[] }> = {
  amd64: {
    machine: 62, // EM_X86_64
    code: [
      ...[0xb8, 0x22, 0x00, 0x00, 0x00], // mov eax, 34 (pause)
      ...[0x0f, 0x05], // syscall
      ...[0xeb, 0xf7], // jmp to the start, 9 bytes back
    ],
  },
  arm64: {
    machine: 183, // EM_AARCH64, which has no pause: ppoll(0, 0, 0, 0) waits for ever as well
    code: [
      ...[0x00, 0x00, 0x80, 0xd2], // mov x0, 0
      ...[0x01, 0x00, 0x80, 0xd2], // mov x1, 0
      ...[0x02, 0x00, 0x80, 0xd2], // mov x2, 0
      ...[0x03, 0x00, 0x80, 0xd2], // mov x3, 0
      ...[0x28, 0x09, 0x80, 0xd2], // mov x8, 73 (ppoll)
      ...[0x01, 0x00, 0x00, 0xd4], // svc 0
      ...[0xfa, 0xff, 0xff, 0x17], // b to the start, 6 instructions back
    ],
  },
};

/** A static ELF64 executable of one segment. https://refspecs.linuxfoundation.org/elf/elf.pdf */
function pauseProgram(): Buffer {
  const loop = loops[architecture];
  if (!loop) throw new Error(`no pause program for ${architecture}`);
  const size = ELF_HEADER + PROGRAM_HEADER + loop.code.length;
  const file = Buffer.alloc(size);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bits, little endian, version 1
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(loop.machine, 18);
  file.writeUInt32LE(1, 20); // version
  file.writeBigUInt64LE(BigInt(BASE + ELF_HEADER + PROGRAM_HEADER), 24); // entry point
  file.writeBigUInt64LE(BigInt(ELF_HEADER), 32); // program headers
  file.writeUInt16LE(ELF_HEADER, 52);
  file.writeUInt16LE(PROGRAM_HEADER, 54);
  file.writeUInt16LE(1, 56); // one of them
  file.writeUInt16LE(64, 58); // size of a section header, of which there are none

  const segment = ELF_HEADER;
  file.writeUInt32LE(1, segment); // PT_LOAD
  file.writeUInt32LE(5, segment + 4); // readable, executable
  file.writeBigUInt64LE(BigInt(BASE), segment + 16); // virtual address
  file.writeBigUInt64LE(BigInt(BASE), segment + 24); // physical address
  file.writeBigUInt64LE(BigInt(size), segment + 32); // size in the file
  file.writeBigUInt64LE(BigInt(size), segment + 40); // size in memory
  file.writeBigUInt64LE(0x1000n, segment + 48); // alignment
  file.set(loop.code, ELF_HEADER + PROGRAM_HEADER);
  return file;
}

/** Writes a docker archive with the pause image, called `name`, to `path`, for `nerdctl load`. */
export async function writePauseImage(path: string, name: string): Promise<void> {
  const layer = await tar([{ name: "pause", mode: 0o755, content: pauseProgram() }]);
  const config = JSON.stringify({
    architecture,
    os: "linux",
    config: { Entrypoint: ["/pause"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(layer).digest("hex")}`] },
  });
  const manifest = JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }]);
  const archive = await tar([
    { name: "layer.tar", mode: 0o644, content: layer },
    { name: "config.json", mode: 0o644, content: Buffer.from(config) },
    { name: "manifest.json", mode: 0o644, content: Buffer.from(manifest) },
  ]);
  await pipeline([archive], createWriteStream(path));
}

async function tar(files: { name: string; mode: number; content: Buffer }[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, mode, content } of files) archive.entry({ name, mode, mtime: new Date(0) }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
