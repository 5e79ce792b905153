/** What a registry has: tags, referrers and repositories. */

import { type Asked, unsupported } from "./asked.ts";
import { RegistryError } from "./errors.ts";
import type { Names } from "./facts.ts";
import { inside } from "./names.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
/** In one answer. */
const MOST_NAMES = 1000;

export async function serveTags({ request, url, place, store, prefix, outside }: Asked<"tags">): Promise<Response> {
  onlyGet(request);
  const { repository: name } = place;
  const limit = limitOf(url);
  const found = await store.ask("tags", name, url.searchParams.get("last") ?? "", limit);
  if (!found) throw new RegistryError("NAME_UNKNOWN", `there is no repository ${name}`);
  return page({ name: prefix + name, tags: found.names }, found, { path: outside(url.pathname), limit });
}

export async function serveCatalog({ request, url, store, prefix, outside }: Asked<"catalog">): Promise<Response> {
  onlyGet(request);
  const limit = limitOf(url);
  const found = await store.ask("repositories", inside(url.searchParams.get("last") ?? "", prefix), limit);
  const repositories = found.names.map((name) => prefix + name);
  return page({ repositories }, { ...found, names: repositories }, { path: outside(url.pathname), limit });
}

export async function serveReferrers({ request, url, place, store }: Asked<"referrers">): Promise<Response> {
  onlyGet(request);
  const artifactType = url.searchParams.get("artifactType") ?? "";
  const manifests = await store.ask("referrers", place.repository, place.digest, artifactType);
  const headers = { "content-type": INDEX, ...(artifactType && { "oci-filters-applied": "artifactType" }) };
  return Response.json({ schemaVersion: 2, mediaType: INDEX, manifests }, { headers });
}

/** With the way to what follows, as RFC 8288 writes it. */
function page(body: object, { names, more }: Names, { path, limit }: { path: string; limit: number }): Response {
  const last = encodeURIComponent(names.at(-1) ?? "");
  const link = `<${path}?n=${limit}&last=${last}>; rel="next"`;
  return Response.json(body, { headers: more && names.length > 0 ? { link } : {} });
}

function limitOf(url: URL): number {
  const given = url.searchParams.get("n");
  if (given === null) return MOST_NAMES;
  if (!/^\d{1,9}$/.test(given))
    throw new RegistryError("UNSUPPORTED", `${JSON.stringify(given)} is no number of names`, { status: 400 });
  return Math.min(Number(given), MOST_NAMES);
}

function onlyGet({ method }: Request): void {
  if (method !== "GET" && method !== "HEAD") throw unsupported(method);
}
