/**
 * `POST /skerry/registry/collect` removes what nothing needs: `{manifests, blobs, uploads, bytes, more}`. The Cluster object
 * says who may, and what runs. `?grace=SECONDS` is for those who know that nobody pushes. One request looks after so many
 * folders of the bucket; where `more` is true, there may be others for the next one.
 *
 * `/skerry/registry/clock`: GET tells whether it is done by itself, too, `{"byClock": "on"}`, `PUT ?to=off` says that.
 */
import type { Bucket } from "../edge/bucket.ts";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { ApiError, badRequest, methodNotAllowed } from "../lib/status.ts";
import type { Ask } from "./ask.ts";
import { GRACE_MS } from "./facts.ts";
import type { Collected } from "./garbage.ts";
import { type RegistryParts, removeAll } from "./parts.ts";

/** Each is listed and emptied: a Worker may ask a bucket a thousand times in a request. */
const MOST_FOLDERS = 300;

export const isCollect = (path: string): boolean => path === "/skerry/registry/collect";

export async function openCollect(request: Request, parts: RegistryParts): Promise<Response> {
  const { cluster, bucket, folder, ask } = parts;
  const answer = await cluster.fetch(request);
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  if (!bucket) throw new ApiError(503, "ServiceUnavailable", "this deployment has no bucket");
  const grace = new URL(request.url).searchParams.get("grace");
  if (grace !== null && !/^\d{1,9}$/.test(grace)) throw badRequest(`${JSON.stringify(grace)} is no number of seconds`);
  const { used } = (await answer.json()) as { used: string[] };
  return Response.json(await collect({ bucket, folder, ask }, used, grace === null ? GRACE_MS : Number(grace) * 1000));
}

export const isClock = (path: string): boolean => path === "/skerry/registry/clock";

export async function openClock(request: Request, { cluster, clusterName, ask }: RegistryParts): Promise<Response> {
  const answer = await cluster.fetch(request);
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  const to = new URL(request.url).searchParams.get("to");
  if (request.method === "PUT") {
    if (to !== "on" && to !== "off") throw badRequest(`${JSON.stringify(to ?? "")} is neither "on" nor "off"`);
    await ask("setByClock", clusterName, to);
  } else if (request.method !== "GET") throw methodNotAllowed();
  return Response.json({ byClock: await ask("byClock") });
}

type Place = { bucket: Bucket; folder: string; ask: Ask };

/** `used` are digests of manifests that containers run. `more` where some may be left. */
export async function collect(
  { bucket, folder, ask }: Place,
  used: readonly string[],
  graceMs: number,
): Promise<Collected & { more: boolean }> {
  // Listed first: a folder that comes later is one of an upload that is known.
  const { folders } = await bucket.list(folder);
  await ask("found", folders);
  const collected = await ask("collect", used, graceMs);
  const swept = await sweep(bucket, folder, ask, MOST_FOLDERS);
  const checked = await removeStrays(bucket, folder, ask, MOST_FOLDERS - swept);
  return { ...collected, more: swept + checked === MOST_FOLDERS };
}

/** How many there were, `most` or fewer. */
async function sweep(bucket: Bucket, root: string, ask: Ask, most: number): Promise<number> {
  const folders = await ask("folders", most);
  for (const folder of folders) await removeAll(bucket, `${root}/${folder}`);
  await ask("swept", folders);
  return folders.length;
}

/** As above. */
async function removeStrays(bucket: Bucket, root: string, ask: Ask, most: number): Promise<number> {
  const contents = await ask("unchecked", most);
  for (const { upload, chunks } of contents) {
    const known = new Set(chunks.map(({ name }) => name));
    await removeAll(bucket, `${root}/${upload}`, (file) => !known.has(file));
  }
  await ask(
    "checked",
    contents.map(({ upload }) => upload),
  );
  return contents.length;
}
