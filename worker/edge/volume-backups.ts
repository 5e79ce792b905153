/**
 * Backups of volumes in the deployment's bucket, at `/skerry/volumes/NAMESPACE/CLAIM/backups`, and volumes on their way from
 * one node to another, at `/skerry/transfers/VOLUME`. The Cluster object says who may, by RBAC of these paths and by what
 * nodes have to do; the bytes do not pass through it.
 *
 *     GET                        all that there are: `{items: [{name, complete, unreadable?, time?, bytes?}]}`
 *     GET, DELETE  /NAME         its index, where it is whole; all of it
 *     PUT          /NAME         the index makes it whole: `{chunks, bytes, sha256}`, of all chunks' bytes in their order.
 *                                It is whole once: with other bytes it stays what it is, and the answer is 409
 *     PUT          /NAME/chunks/N          the chunk is kept, sealed: `{id}`. Without a body and with `?sha256=` it says
 *                                          the id of one that is there already, or 404
 *     GET          /NAME/chunks/ID
 *
 * What was sent before something was killed is there when the same is sent again. Two may send to one backup at a time: what
 * is not in its index goes with it, since it may be the other's. A backup outlives its claim.
 */
import { effects } from "../effects.ts";
import { boundedBody } from "../lib/bounded-body.ts";
import { hex } from "../lib/bytes.ts";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { ApiError, badRequest, methodNotAllowed, tooLarge } from "../lib/status.ts";
import type { VolumeBackup, VolumeBackupIndex } from "../lib/volume-backup.ts";
import type { Bucket } from "./bucket.ts";
import type { Seal } from "./sealed-chunks.ts";

const PATH = /^\/skerry\/(?:volumes\/([^/]+\/[^/]+)\/backups|transfers\/([^/]+))(?:\/([^/]+)(?:\/chunks\/([^/]+))?)?$/;
/** Of namespaces, claims and volumes: a DNS subdomain. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const NUMBER = /^\d{1,6}$/;
const CHUNK = /^\d{6}-[0-9a-f]{32}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const INDEX = "index";
const DIGITS = 6;
/** A Worker has 128 MB, and holds a chunk twice. The index of 150,000 chunks is as long. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export const isVolumeBackup = (path: string): boolean => PATH.test(path);

export type BackupParts = {
  clusterName: string;
  cluster: { fetch(request: Request): Promise<Response> };
  bucket: Bucket | undefined;
  seal: Seal;
};

/** One request, about what lies in one folder of the bucket. */
type Asked = { request: Request; url: URL; folder: string; bucket: Bucket; seal: Seal };

export async function openVolumeBackups(request: Request, parts: BackupParts): Promise<Response> {
  const { clusterName, cluster, bucket, seal } = parts;
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  for (const name of ["content-length", "content-type", "transfer-encoding"]) headers.delete(name);
  const answer = await cluster.fetch(new Request(request.url, { method: request.method, headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  const [, claim, volume = "", name, chunk] = PATH.exec(url.pathname) ?? [];
  // A node that is to remove a copy has nothing to remove any more.
  if (!bucket && claim === undefined && request.method === "DELETE")
    throw new ApiError(404, "NotFound", "this deployment has no bucket");
  if (!bucket)
    throw new ApiError(
      503,
      "ServiceUnavailable",
      "this deployment has no bucket: `skerry deploy --bucket NAME` gives one",
    );
  const of = claim ?? volume;
  if (!of.split("/").every((part) => SUBDOMAIN.test(part)))
    throw badRequest(`${of} names no ${claim === undefined ? "volume" : "claim"}`);
  if (name !== undefined && !NAME.test(name)) throw badRequest(`${JSON.stringify(name)} names no backup`);
  const folder = `${clusterName}/${claim === undefined ? "transfers" : "volumes"}/${of}`;
  const asked = { request, url, bucket, seal, folder: name === undefined ? folder : `${folder}/${name}` };
  if (name === undefined) return list(asked);
  return chunk === undefined ? serveBackup(asked, name) : serveChunk(asked, chunk);
}

async function list({ request, bucket, seal, folder }: Asked): Promise<Response> {
  if (request.method !== "GET") throw methodNotAllowed();
  const { folders } = await bucket.list(folder);
  const items: VolumeBackup[] = [];
  for (const name of folders.toSorted()) {
    const index = await indexOf(bucket, seal, `${folder}/${name}`).catch(unreadable);
    if (index === "unreadable") items.push({ name, complete: false, unreadable: true });
    else items.push({ name, complete: index !== undefined, ...(index && { time: index.time, bytes: index.bytes }) });
  }
  return Response.json({ items });
}

async function serveBackup({ request, bucket, seal, folder }: Asked, name: string): Promise<Response> {
  const missing = () => new ApiError(404, "NotFound", `backup ${JSON.stringify(name)} not found`);
  switch (request.method) {
    case "GET": {
      const index = await indexOf(bucket, seal, folder);
      if (!index) throw missing();
      return Response.json(index);
    }
    case "PUT":
      return complete(bucket, seal, folder, await bodyOf(request));
    case "DELETE": {
      const { files } = await bucket.list(folder);
      if (files.length === 0) throw missing();
      // Without the index it is none, whatever becomes of this.
      await bucket.remove([INDEX, ...files.filter((file) => file !== INDEX)].map((file) => `${folder}/${file}`));
      return Response.json({ name });
    }
    default:
      throw methodNotAllowed();
  }
}

async function indexOf(bucket: Bucket, seal: Seal, folder: string): Promise<VolumeBackupIndex | undefined> {
  const sealed = await bucket.get(`${folder}/${INDEX}`);
  if (!sealed) return undefined;
  return JSON.parse(new TextDecoder().decode(seal.open(sealed, `${folder}/${INDEX}`))) as VolumeBackupIndex;
}

/** A power cut left it without its bytes, or the secret that opens it is not given any more. */
function unreadable(error: unknown): "unreadable" {
  if (error instanceof ApiError) return "unreadable";
  throw error;
}

/** All chunks are there, so that it is whole. */
async function complete(bucket: Bucket, seal: Seal, folder: string, body: Uint8Array): Promise<Response> {
  const { chunks, bytes, sha256 } = parsed(body);
  const before = await indexOf(bucket, seal, folder).catch(unreadable);
  if (before && before !== "unreadable") {
    if (before.sha256 === sha256) return Response.json(before);
    throw new ApiError(409, "Conflict", "the backup is whole already, of other data: another command has made it");
  }
  const there = new Set((await bucket.list(folder)).files);
  const missing = chunks.find((id) => !there.has(id));
  if (missing) throw new ApiError(409, "Conflict", `chunk ${missing} is missing`);
  const index: VolumeBackupIndex = { time: new Date(effects.now()).toISOString(), bytes, sha256, chunks };
  const key = `${folder}/${INDEX}`;
  await bucket.put(key, seal.close(new TextEncoder().encode(JSON.stringify(index)), key));
  return Response.json(index);
}

function parsed(body: Uint8Array): Omit<VolumeBackupIndex, "time"> {
  const given = readJson(body) as Partial<VolumeBackupIndex> | null;
  const { chunks, bytes, sha256 } = given ?? {};
  const isGood =
    Array.isArray(chunks) &&
    chunks.every((id) => typeof id === "string" && CHUNK.test(id)) &&
    typeof bytes === "number" &&
    typeof sha256 === "string" &&
    SHA256.test(sha256);
  if (!isGood) throw badRequest("a backup's index is {chunks, bytes, sha256}");
  return { chunks, bytes, sha256 };
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}

async function serveChunk({ request, url, bucket, seal, folder }: Asked, chunk: string): Promise<Response> {
  if (request.method === "GET") {
    const sealed = CHUNK.test(chunk) ? await bucket.get(`${folder}/${chunk}`) : undefined;
    if (!sealed) throw new ApiError(404, "NotFound", `chunk ${JSON.stringify(chunk)} not found`);
    const plain = seal.open(sealed, `${folder}/${chunk}`) as Uint8Array<ArrayBuffer>;
    return new Response(plain, { headers: { "content-type": "application/octet-stream" } });
  }
  if (request.method !== "PUT") throw methodNotAllowed();
  if (!NUMBER.test(chunk)) throw badRequest(`${JSON.stringify(chunk)} is no chunk's number`);
  const body = await bodyOf(request);
  const said = url.searchParams.get("sha256");
  const sha256 = body.length === 0 && said ? said : hex(await crypto.subtle.digest("SHA-256", body));
  const id = `${chunk.padStart(DIGITS, "0")}-${await seal.digest(`${folder} ${sha256}`)}`;
  const key = `${folder}/${id}`;
  if (body.length > 0) await bucket.put(key, seal.close(body, key));
  else if (!(await isWhole(bucket, seal, key))) throw new ApiError(404, "NotFound", `chunk ${chunk} is not there yet`);
  return Response.json({ id });
}

/** A power cut may have left only some of it. */
async function isWhole(bucket: Bucket, seal: Seal, key: string): Promise<boolean> {
  const sealed = await bucket.get(key);
  if (!sealed) return false;
  try {
    seal.open(sealed, key);
    return true;
  } catch {
    return false;
  }
}

const bodyOf = (request: Request) =>
  boundedBody(request, MAX_BODY_BYTES, () => tooLarge(`a body is limited to ${MAX_BODY_BYTES} bytes`));
