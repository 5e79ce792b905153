/**
 * The registry: the OCI distribution API at `/v2/`, over the deployment's bucket.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 *
 *     Worker ── who may ──► Cluster object (RBAC of the path)
 *        ├──── which, where ──► Registry object (facts.ts: uploads, manifests, tags; SQLite of its own)
 *        └──── bytes ──► bucket: CLUSTER/registry/OBJECT/UPLOAD/CHUNK
 *
 * A blob is a list of chunks, so that a bucket needs to know neither appending nor ranges, no request holds more than one
 * of them, and an upload that was cut goes on behind the last one. Clusters other than `default` have their repositories
 * below `clusters/NAME/`, since clients know a host and no path before `/v2/`.
 */
import { errorText } from "../lib/error-text.ts";
import { Access } from "./access.ts";
import { serveBlob, serveUpload, serveUploads } from "./blobs.ts";
import { RegistryError } from "./errors.ts";
import { serveCatalog, serveReferrers, serveTags } from "./lists.ts";
import { serveManifest } from "./manifests.ts";
import { type Place, placeOf } from "./names.ts";
import type { RegistryParts } from "./parts.ts";
import type { Store } from "./uploads.ts";

export const isRegistry = (path: string): boolean => /^\/v2(\/|$)/.test(path);

/** What was pushed has the address of the API, and of its page, which keeps its token there: a browser shows none of it. */
const NOT_SHOWN = { "content-security-policy": "default-src 'none'; sandbox", "x-content-type-options": "nosniff" };

export async function openRegistry(request: Request, parts: RegistryParts): Promise<Response> {
  const answer = await answerOf(request, parts);
  for (const [name, value] of Object.entries(NOT_SHOWN)) answer.headers.set(name, value);
  return answer;
}

async function answerOf(request: Request, parts: RegistryParts): Promise<Response> {
  try {
    return await serve(request, parts);
  } catch (error) {
    const known =
      error instanceof RegistryError ? error : new RegistryError("UNKNOWN", errorText(error), { status: 503 });
    const answer = known.answer();
    return request.method === "HEAD" ? new Response(null, answer) : answer;
  }
}

async function serve(request: Request, parts: RegistryParts): Promise<Response> {
  const { clusterName, cluster, bucket, folder, ask, now, uid } = parts;
  const url = new URL(request.url);
  const access = new Access(request, cluster);
  const place = placeOf(url.pathname);
  if (place?.type === "base") {
    await access.checkKnown();
    return Response.json({}, { headers: { "docker-distribution-api-version": "registry/2.0" } });
  }
  const ticket = await access.check(verbOf(request.method, place), url.pathname);
  if (!place) throw new RegistryError("UNSUPPORTED", "nothing is served at this path", { status: 404 });
  if (!bucket)
    throw new RegistryError("UNSUPPORTED", "this deployment has no bucket: `skerry deploy --bucket NAME` gives one", {
      status: 503,
    });
  const prefix = clusterName === "default" ? "" : `clusters/${clusterName}/`;
  const store: Store = { bucket, folder, ask, now, uid };
  const outside = (path: string) => path.replace("/v2/", `/v2/${prefix}`);
  const common = { request, url, store, access, ticket, prefix, outside };
  switch (place.type) {
    case "catalog":
      return serveCatalog({ ...common, place });
    case "tags":
      return serveTags({ ...common, place });
    case "referrers":
      return serveReferrers({ ...common, place });
    case "manifest":
      return serveManifest({ ...common, place });
    case "blob":
      return serveBlob({ ...common, place });
    case "uploads":
      return serveUploads({ ...common, place });
    case "upload":
      return serveUpload({ ...common, place });
  }
}

/** All that is done with an upload is part of pushing. */
function verbOf(method: string, place: Place | undefined) {
  if (place?.type === "upload" || place?.type === "uploads") return "put";
  if (method === "GET" || method === "HEAD") return "get";
  return method === "DELETE" ? "delete" : "put";
}
