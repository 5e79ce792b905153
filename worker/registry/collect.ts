/**
 * `POST /skerry/registry/collect` removes what nothing needs: `{manifests, blobs, uploads, bytes}`. The Cluster object says
 * who may, and what runs. `?grace=SECONDS` is for those who know that nobody pushes.
 */
import type { Bucket } from "../edge/bucket.ts";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { ApiError, badRequest } from "../lib/status.ts";
import type { Ask } from "./ask.ts";
import { GRACE_MS } from "./facts.ts";
import type { RegistryParts } from "./serve.ts";

export const isCollect = (path: string): boolean => path === "/skerry/registry/collect";

export async function openCollect(request: Request, parts: RegistryParts): Promise<Response> {
  const { clusterName, cluster, bucket, ask } = parts;
  const answer = await cluster.fetch(request);
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  if (!bucket) throw new ApiError(503, "ServiceUnavailable", "this deployment has no bucket");
  const grace = new URL(request.url).searchParams.get("grace");
  if (grace !== null && !/^\d{1,9}$/.test(grace)) throw badRequest(`${JSON.stringify(grace)} is no number of seconds`);
  const { used } = (await answer.json()) as { used: string[] };
  const folder = `${clusterName}/registry`;
  // Listed first: a folder that comes later is one of an upload that is known.
  const { folders } = await bucket.list(folder);
  await ask("found", folders);
  const collected = await ask("collect", used, grace === null ? GRACE_MS : Number(grace) * 1000);
  await sweep(bucket, folder, ask);
  await removeStrays(bucket, folder, ask);
  return Response.json(collected);
}

async function sweep(bucket: Bucket, root: string, ask: Ask): Promise<void> {
  for (let folders = await ask("folders"); folders.length > 0; folders = await ask("folders")) {
    for (const folder of folders) await removeAll(bucket, `${root}/${folder}`, () => true);
    await ask("swept", folders);
  }
}

async function removeStrays(bucket: Bucket, root: string, ask: Ask): Promise<void> {
  for (let contents = await ask("unchecked"); contents.length > 0; contents = await ask("unchecked")) {
    for (const { upload, chunks } of contents) {
      const known = new Set(chunks.map(({ name }) => name));
      await removeAll(bucket, `${root}/${upload}`, (file) => !known.has(file));
    }
    await ask(
      "checked",
      contents.map(({ upload }) => upload),
    );
  }
}

async function removeAll(bucket: Bucket, folder: string, isGarbage: (file: string) => boolean): Promise<void> {
  const { files } = await bucket.list(folder);
  const keys = files.filter(isGarbage).map((file) => `${folder}/${file}`);
  if (keys.length > 0) await bucket.remove(keys);
}
