/** What lies on disks, and where. */
import { statfsSync, statSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { read } from "./figures.ts";

/** A file system: bytes and inodes. */
export type FileSystem = {
  capacity: number;
  available: number;
  used: number;
  inodes: number;
  inodesFree: number;
  inodesUsed: number;
};

/** Undefined where there is nothing. */
export function fileSystemOf(path: string): FileSystem | undefined {
  try {
    const { blocks, bfree, bavail, bsize, files, ffree } = statfsSync(path);
    return {
      capacity: blocks * bsize,
      available: bavail * bsize,
      used: (blocks - bfree) * bsize,
      inodes: files,
      inodesFree: ffree,
      inodesUsed: files - ffree,
    };
  } catch {
    return undefined;
  }
}

export type DiskUsage = { bytes: number; inodes: number };

const BLOCK_BYTES = 512;
/** A walk through a folder is good for so long, as the kubelet's are. */
const KEPT_MS = 60_000;

/** How much lies in folders. A walk takes long, so each is kept for a minute, and two at once are one. */
export class DiskUsages {
  readonly #now: () => number;
  readonly #known = new Map<string, { at: number; usage: Promise<DiskUsage> }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  of(folder: string): Promise<DiskUsage> {
    const now = this.#now();
    for (const [path, { at }] of this.#known) if (now - at >= KEPT_MS) this.#known.delete(path);
    const known = this.#known.get(folder);
    if (known) return known.usage;
    const usage = walk(folder);
    this.#known.set(folder, { at: now, usage });
    return usage;
  }
}

/** As du counts: what is linked twice counts once, and other file systems not at all. What goes meanwhile is not there. */
async function walk(folder: string): Promise<DiskUsage> {
  const seen = new Set<string>();
  const total = { bytes: 0, inodes: 0 };
  const top = await lstat(folder).catch(() => undefined);
  const open = top ? [folder] : [];
  const count = ({ dev, ino, nlink, blocks }: { dev: number; ino: number; nlink: number; blocks: number }) => {
    if (nlink > 1 && seen.has(`${dev}:${ino}`)) return;
    if (nlink > 1) seen.add(`${dev}:${ino}`);
    total.bytes += blocks * BLOCK_BYTES;
    total.inodes++;
  };
  if (top) count({ ...top, nlink: 1 });
  for (let path = open.pop(); path !== undefined; path = open.pop())
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      const inner = join(path, entry.name);
      const stat = await lstat(inner).catch(() => undefined);
      if (!stat || stat.dev !== top?.dev) continue;
      count(stat.isDirectory() ? { ...stat, nlink: 1 } : stat);
      if (stat.isDirectory()) open.push(inner);
    }
  return total;
}

/** A container's log, with what was rotated away. */
export async function logUsage(logPath: string): Promise<DiskUsage> {
  const folder = dirname(logPath);
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.startsWith(basename(logPath)));
  const stats = await Promise.all(files.map((name) => lstat(join(folder, name)).catch(() => undefined)));
  const there = stats.filter((stat) => stat !== undefined);
  return { bytes: there.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0), inodes: there.length };
}

/** Where a container writes what goes into its own layer; undefined where that cannot be told. */
export function writableLayerOf(pid: number, proc = "/proc"): string | undefined {
  const line = (read(`${proc}/${pid}/mountinfo`) ?? "").split("\n").find((text) => text.split(" ")[4] === "/");
  return /[ ,]upperdir=([^,\s]+)/.exec(line ?? "")?.[1];
}

const names = new Map<string, string>();

/** `/dev/sda` of `8:0`. */
export function deviceName(numbers: string): string {
  const known = names.get(numbers);
  if (known !== undefined) return known;
  const name = /^DEVNAME=(.*)$/m.exec(read(`/sys/dev/block/${numbers}/uevent`) ?? "")?.[1];
  const path = name ? `/dev/${name}` : numbers;
  names.set(numbers, path);
  return path;
}

/** The disk that a folder lies on. */
export function deviceOf(folder: string): string {
  const { dev } = statSync(folder);
  // https://sourceware.org/git/?p=glibc.git;a=blob;f=bits/sysmacros.h, for the numbers that disks have
  return deviceName(`${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`);
}
