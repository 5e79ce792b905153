/** Backups of volumes in the deployment's bucket, in pieces that are sent again when something was killed meanwhile. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { errorText } from "../../worker/lib/error-text.ts";
import { CHUNK_BYTES, type VolumeBackup, type VolumeBackupIndex } from "../../worker/lib/volume-backup.ts";
import type { BackupContext } from "./backup.ts";
import { type Claim, inWords } from "./claim.ts";
import { type Answer, checked, open, read, type Server, send, sendChecked } from "./http.ts";

/** A deployment that is killed is back in seconds; one that is deployed anew, too. */
const AGAIN_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000];

/** A chunk is put on a disk, or across the world, before there is an answer. */
const SILENT_MS = 120_000;

type Effects = BackupContext["effects"];

export const backupsPath = ({ namespace, name }: Claim) =>
  `/skerry/volumes/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/backups`;

const backupPath = (claim: Claim, name: string) => `${backupsPath(claim)}/${encodeURIComponent(name)}`;

/** Where something lies in the bucket, and what it is called. */
export type Kept = { path: string; words: string };
type Sent = Kept & {
  /** An earlier command may have sent some of it. */
  isResumed: boolean;
  chunkBytes?: number;
};

export const backupOf = (claim: Claim, name: string): Kept => ({
  path: backupPath(claim, name),
  words: `backup ${name} of ${inWords(claim)}`,
});

type Context = Pick<BackupContext, "effects" | "progress">;

export async function listBackups(server: Server, claim: Claim): Promise<VolumeBackup[]> {
  return (await sendChecked(server, "GET", backupsPath(claim))).body.items as VolumeBackup[];
}

export const deleteBackup = (server: Server, claim: Claim, name: string): Promise<Answer> =>
  sendChecked(server, "DELETE", backupPath(claim, name));

const PASSING = [429, 502, 503, 504];

/** What may be otherwise in a moment: nobody answered, or somebody who says so. */
export const isPassing = ({ code }: Pick<Answer, "code">) => PASSING.includes(code);

async function again<T>(effects: Effects, what: () => Promise<T>, isDone: (result: T) => boolean): Promise<T> {
  for (const ms of AGAIN_MS) {
    const result = await what().catch(() => undefined);
    if (result !== undefined && isDone(result)) return result;
    await effects.sleep(ms);
  }
  return what();
}

/**
 * Sends all that `source` gives, from its start; once more where it breaks off, and then only what is not there yet.
 */
export async function sendBackup(
  { effects, progress }: Context,
  server: Server,
  { path, words, isResumed, chunkBytes = CHUNK_BYTES }: Sent,
  source: () => Promise<AsyncIterable<Uint8Array>>,
): Promise<VolumeBackupIndex> {
  const call = (method: string, at: string, bytes: Uint8Array) =>
    again(
      effects,
      async () =>
        read(await open(server, method, at, { bytes, type: "application/octet-stream", timeoutMs: SILENT_MS })),
      (answer) => !isPassing(answer),
    );
  const chunkSent = async (number: number, bytes: Buffer, mayBeThere: boolean): Promise<string> => {
    const at = `${path}/chunks/${number}`;
    if (mayBeThere) {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const answer = await call("PUT", `${at}?sha256=${sha256}`, Buffer.alloc(0));
      if (answer.code === 200) return `${answer.body.id}`;
    }
    const { id } = checked("PUT", at, await call("PUT", at, bytes)).body;
    hasProgress = true;
    return `${id}`;
  };
  let hasProgress = false;
  for (let tries = 0, isFirst = !isResumed; ; tries++, isFirst = false) {
    try {
      const hash = createHash("sha256");
      const chunks: string[] = [];
      let total = 0;
      for await (const bytes of inChunks(await source(), chunkBytes)) {
        hash.update(bytes);
        total += bytes.length;
        chunks.push(await chunkSent(chunks.length, bytes, !isFirst));
      }
      const index = { chunks, bytes: total, sha256: hash.digest("hex") };
      const answer = await call("PUT", path, Buffer.from(JSON.stringify(index)));
      return checked("PUT", path, answer).body as unknown as VolumeBackupIndex;
    } catch (error) {
      if (hasProgress) tries = 0;
      hasProgress = false;
      const wait = AGAIN_MS[tries];
      if (wait === undefined || !(error instanceof SourceError)) throw error;
      progress(`${errorText(error)}: ${words} goes on`);
      await effects.sleep(wait);
    }
  }
}

/** Nobody has to hear of what went wrong but who reads what is given back. */
export function zipped(stream: Readable): Readable {
  const zip = createGzip();
  pipeline(stream, zip).catch(() => {});
  return zip;
}

export function unzipped(stream: Readable): Readable {
  const gunzip = createGunzip();
  pipeline(stream, gunzip).catch(() => {});
  return gunzip;
}

/** What was to be sent broke off, so that it is not all. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** Pieces of so many bytes; the last may be shorter. */
export async function* inChunks(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of brokenOff(source)) {
    for (let rest = piece; rest.length > 0; ) {
      const taken = rest.subarray(0, size - length);
      held.push(taken);
      length += taken.length;
      rest = rest.subarray(taken.length);
      if (length < size) continue;
      yield Buffer.concat(held);
      held = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(held);
}

async function* brokenOff(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw new SourceError(errorText(error));
  }
}

/** All bytes of a backup. It breaks off before the last chunk where they are not those that were sent. */
export function backupStream({ effects }: Pick<Context, "effects">, server: Server, { path, words }: Kept): Readable {
  const get = async (id: string): Promise<Buffer> => {
    const at = `${path}/chunks/${id}`;
    const got = await again(
      effects,
      async () => {
        const response = await open(server, "GET", at, { timeoutMs: SILENT_MS });
        const pieces: Buffer[] = [];
        for await (const piece of response) pieces.push(piece as Buffer);
        return { code: response.statusCode ?? 0, bytes: Buffer.concat(pieces) };
      },
      (got) => !isPassing(got),
    );
    if (got.code !== 200) throw new Error(`GET ${at}: ${got.code} ${got.bytes.toString().slice(0, 200)}`);
    return got.bytes;
  };
  return Readable.from(
    (async function* () {
      const answer = await again(
        effects,
        () => send(server, "GET", path),
        (given) => !isPassing(given),
      );
      const index = checked("GET", path, answer).body as unknown as VolumeBackupIndex;
      const hash = createHash("sha256");
      for (const [at, id] of index.chunks.entries()) {
        const bytes = await get(id);
        hash.update(bytes);
        if (at === index.chunks.length - 1 && hash.digest("hex") !== index.sha256)
          throw new Error(`${words} is not what was sent`);
        yield bytes;
      }
    })(),
    { objectMode: false },
  );
}

const BUCKET = "bucket";

export const isBucket = (place: string): boolean => place === BUCKET || place.startsWith(`${BUCKET}:`);

/** `bucket`, `bucket:NAME`, `bucket:NAMESPACE/CLAIM` or `bucket:NAMESPACE/CLAIM/NAME`: which backup, by default the newest whole one of the claim. */
export async function findBackup(server: Server, place: string, own: Claim): Promise<{ claim: Claim; name: string }> {
  const parts = place.slice(BUCKET.length + 1).split("/");
  const [namespace = "", claimName = "", named] = parts.length > 1 ? parts : [own.namespace, own.name, parts[0]];
  if (parts.length > 3 || !namespace || !claimName) throw new Error(`${place} is no bucket:NAMESPACE/CLAIM/NAME`);
  const claim = { namespace, name: claimName };
  const whole = (await listBackups(server, claim)).filter(({ complete }) => complete);
  const name = named || newest(whole)?.name;
  if (!name || !whole.some((backup) => backup.name === name))
    throw new Error(`the bucket has no ${named ? `backup ${named}` : "backup"} of ${inWords(claim)}`);
  return { claim, name };
}

const newest = (backups: readonly VolumeBackup[]) =>
  backups.toSorted((a, b) => ((a.time ?? "") < (b.time ?? "") ? -1 : 1)).at(-1);

/** Whole backups beyond the newest so many go. */
export async function keepNewest(server: Server, claim: Claim, most: number): Promise<string[]> {
  const whole = (await listBackups(server, claim)).filter(({ complete }) => complete);
  const old = whole.toSorted((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1)).slice(most);
  for (const { name } of old) await deleteBackup(server, claim, name);
  return old.map(({ name }) => name);
}
