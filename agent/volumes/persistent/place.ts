/** Puts what an archive has in the place of a volume: all of it at one instant, or nothing. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, statSync } from "node:fs";
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { unpack } from "./data.ts";

/** A new volume is for whoever a container runs as. */
export const VOLUME_MODE = 0o777;
const PERMISSIONS = 0o7777;

/** What is not whole yet lies here, beside the volumes. */
const INCOMING = ".incoming";

export const stagingOf = (folder: string): string => join(dirname(folder), INCOMING, basename(folder));

/** Fills a folder with what an archive has, at one instant, when all of it is on the disk and `may` says so. */
export async function place(folder: string, archive: Readable, may: () => void): Promise<number> {
  const staging = stagingOf(folder);
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true, mode: 0o755 });
  try {
    await lookAs(staging, folder);
    const bytes = await unpack(staging, archive);
    may();
    renameSync(staging, folder); // also over an empty folder
    const parent = openSync(dirname(folder), "r");
    fsyncSync(parent);
    closeSync(parent);
    return bytes;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** An archive need not say whose its root is: then it stays what it was, or is what a new one is. */
async function lookAs(staging: string, folder: string): Promise<void> {
  const before = statSync(folder, { throwIfNoEntry: false });
  if (before) await chown(staging, before.uid, before.gid);
  await chmod(staging, before ? before.mode & PERMISSIONS : VOLUME_MODE);
}

export const isEmpty = (folder: string): boolean => !existsSync(folder) || readdirSync(folder).length === 0;

/** Where the data lies that is being replaced, until all of what replaces it is in its place. */
export const formerOf = (folder: string): string => `${stagingOf(folder)}.former`;

/**
 * After an agent that was killed while it replaced data: what there was is back, or gone where all of the new is there. An
 * empty folder is no reason to give up data.
 */
export async function settle(folder: string): Promise<void> {
  const former = formerOf(folder);
  if (!existsSync(former)) return;
  if (isEmpty(folder)) renameSync(former, folder);
  else await rm(former, { recursive: true, force: true });
}
