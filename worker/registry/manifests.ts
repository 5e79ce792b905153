import { boundedBody } from "../lib/bounded-body.ts";
import { hex } from "../lib/bytes.ts";
import { type Asked, unsupported } from "./asked.ts";
import { streamOf } from "./contents.ts";
import { RegistryError } from "./errors.ts";
import { ResumableSha256 } from "./hash.ts";
import { readManifest } from "./manifest.ts";
import { isDigest, isTag } from "./names.ts";
import { appendBody, cancelUpload } from "./uploads.ts";

/** What the specification has registries take at least. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export async function serveManifest(asked: Asked<"manifest">): Promise<Response> {
  const { request, place, store } = asked;
  const { repository, reference } = place;
  const { method } = request;
  if (method === "PUT") return put(asked);
  const unknown = () => new RegistryError("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`);
  if (method === "DELETE") {
    if (!(await store.ask("removeManifest", repository, reference))) throw unknown();
    return new Response(null, { status: 202 });
  }
  if (method !== "GET" && method !== "HEAD") throw unsupported(method);
  const manifest = await store.ask("manifest", repository, reference, method === "HEAD");
  if (!manifest) throw unknown();
  const { digest, mediaType, size } = manifest;
  const headers = { "content-type": mediaType, "content-length": String(size), "docker-content-digest": digest };
  if (method === "HEAD") return new Response(null, { headers });
  return new Response(streamOf(store, manifest, { first: 0, last: size - 1 }), { headers });
}

/** It lies in the bucket before it is known, as all bytes do. */
async function put({ request, url, place, store, outside }: Asked<"manifest">): Promise<Response> {
  const { repository, reference } = place;
  const bytes = await boundedBody(request, MAX_MANIFEST_BYTES, tooLarge);
  const digest = await digestAs(reference, bytes);
  if (isDigest(reference) && digest !== reference)
    throw new RegistryError("DIGEST_INVALID", `the manifest has the digest ${digest}`);
  const tags = isDigest(reference) ? url.searchParams.getAll("tag") : [reference];
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new RegistryError("MANIFEST_INVALID", `invalid tag ${JSON.stringify(wrong)}`);
  const facts = readManifest(bytes, request.headers.get("content-type") ?? "");
  const upload = await store.ask("open", repository);
  const empty = { size: 0, hash: "" };
  const body = { body: piecewise(bytes), length: bytes.length };
  const { size } = await appendBody(store, { repository, id: upload, upload: empty }, body);
  const kept = await store.ask("putManifest", repository, { ...facts, digest, upload, size, tags });
  if (kept !== "kept") {
    await cancelUpload(store, repository, upload);
    const missing = kept === "gone" ? "its upload" : kept.missing.join(", ");
    throw new RegistryError("MANIFEST_BLOB_UNKNOWN", `the manifest needs what ${repository} has not: ${missing}`);
  }
  return new Response(null, {
    status: 201,
    headers: {
      location: outside(`/v2/${repository}/manifests/${digest}`),
      "docker-content-digest": digest,
      ...(facts.subject && { "oci-subject": facts.subject }),
      ...(isDigest(reference) && tags.length > 0 && { "oci-tag": tags.join(", ") }),
    },
  });
}

async function digestAs(reference: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (reference.startsWith("sha512:")) return `sha512:${hex(await crypto.subtle.digest("SHA-512", bytes))}`;
  const hash = ResumableSha256.from("");
  hash.update(bytes);
  return hash.toDigest();
}

const tooLarge = () =>
  new RegistryError("MANIFEST_INVALID", `a manifest is limited to ${MAX_MANIFEST_BYTES} bytes`, { status: 413 });

async function* piecewise(bytes: Uint8Array) {
  yield bytes;
}
