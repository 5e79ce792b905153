/** Blobs, and the uploads that they come by. */

import { TICKET_HEADER } from "../lib/blob-tickets.ts";
import { type Asked, unsupported } from "./asked.ts";
import { piecesOf, rangeOf, streamOf } from "./contents.ts";
import { overQuota, RegistryError } from "./errors.ts";
import type { Upload } from "./facts.ts";
import { ResumableSha256, sha512Digest } from "./hash.ts";
import { digestOf, inside, repositoryOf } from "./names.ts";
import { appendBody, cancelUpload, type OpenUpload } from "./uploads.ts";

const unknownUpload = () => new RegistryError("BLOB_UPLOAD_UNKNOWN", "there is no such upload, or it has ended");

export async function serveBlob({ request, place, store, ticket }: Asked<"blob">): Promise<Response> {
  const { method } = request;
  const { repository, digest } = place;
  const unknown = () => new RegistryError("BLOB_UNKNOWN", `${repository} has no blob ${digest}`);
  if (method === "DELETE") {
    if (!(await store.ask("removeBlob", repository, digest))) throw unknown();
    return new Response(null, { status: 202 });
  }
  if (method !== "GET" && method !== "HEAD") throw unsupported(method);
  const content = await store.ask("blob", repository, digest, method === "HEAD");
  if (!content) throw unknown();
  const range = method === "GET" ? rangeOf(request.headers.get("range"), content.size) : undefined;
  const { first, last } = range ?? { first: 0, last: content.size - 1 };
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(last - first + 1),
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    ...(ticket && { [TICKET_HEADER]: ticket }),
    ...(range && { "content-range": `bytes ${first}-${last}/${content.size}` }),
  };
  if (method === "HEAD") return new Response(null, { headers });
  return new Response(streamOf(store, content, { first, last }), { status: range ? 206 : 200, headers });
}

/** An upload begins; or it is not needed, since the blob is in another repository that the client may read. */
export async function serveUploads(asked: Asked<"uploads">): Promise<Response> {
  const { request, url, place, store } = asked;
  if (request.method !== "POST") throw unsupported(request.method);
  const mounted = url.searchParams.get("mount");
  if (mounted !== null && (await mount(asked, digestOf(mounted)))) return created(asked, digestOf(mounted));
  const id = await store.ask("open", place.repository);
  const upload = { size: 0, hash: "" };
  const digest = url.searchParams.get("digest");
  if (digest !== null) return complete(asked, { repository: place.repository, id, upload }, digestOf(digest));
  return progress(asked, id, upload, 202);
}

async function mount({ url, place, store, access, prefix }: Asked<"uploads">, digest: string): Promise<boolean> {
  const { repository } = place;
  const from = url.searchParams.get("from");
  for (const holder of from ? [repositoryOf(inside(from, prefix))] : await store.ask("holders", digest)) {
    const mayRead = holder === repository || (await access.may("get", `/v2/${holder}/blobs/${digest}`));
    const mounted = mayRead ? await store.ask("mount", holder, repository, digest) : "gone";
    if (typeof mounted === "object") throw overQuota(mounted);
    if (mounted === "kept") return true;
  }
  return false;
}

export async function serveUpload(asked: Asked<"upload">): Promise<Response> {
  const { request, url, place, store } = asked;
  const { repository, id } = place;
  const upload = await store.ask("upload", repository, id);
  if (!upload) throw unknownUpload();
  switch (request.method) {
    case "GET":
      return progress(asked, id, upload, 204);
    case "DELETE":
      await cancelUpload(store, repository, id);
      return new Response(null, { status: 204 });
    case "PATCH":
      return progress(asked, id, await append(asked, { repository, id, upload }), 202);
    case "PUT":
      return complete(asked, { repository, id, upload }, digestOf(url.searchParams.get("digest") ?? ""));
    default:
      throw unsupported(request.method);
  }
}

/** Where a client says what range it sends, it begins where the upload ends. */
async function append({ request, store, outside }: Asked<"upload" | "uploads">, open: OpenUpload): Promise<Upload> {
  const { upload, repository, id } = open;
  const told = request.headers.get("content-range");
  const [, first, last] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/.*)?$/.exec(told ?? "") ?? [];
  if (told !== null && first === undefined)
    throw new RegistryError("BLOB_UPLOAD_INVALID", `${JSON.stringify(told)} is no range of bytes`);
  if (first !== undefined && Number(first) !== upload.size)
    throw new RegistryError("BLOB_UPLOAD_INVALID", `the upload goes on at byte ${upload.size}, not ${first}`, {
      status: 416,
      headers: { location: outside(`/v2/${repository}/blobs/uploads/${id}`), range: rangeText(upload.size) },
    });
  const length = Number(request.headers.get("content-length"));
  const after = await appendBody(store, open, { body: request.body, length });
  if (last !== undefined && after.size !== Number(last) + 1)
    throw new RegistryError("SIZE_INVALID", `the body had ${after.size - upload.size} bytes, which its range has not`);
  return after;
}

/** With wrong bytes it is no blob, and they are of no use to anybody. */
async function complete(asked: Asked<"upload" | "uploads">, open: OpenUpload, digest: string): Promise<Response> {
  const { store } = asked;
  const { repository, id } = open;
  const { size, hash } = await append(asked, open);
  const actual = digest.startsWith("sha512:")
    ? await sha512Digest(piecesOf(store, id, await store.ask("chunks", id)))
    : ResumableSha256.from(hash).toDigest();
  if (actual !== digest) {
    await cancelUpload(store, repository, id);
    throw new RegistryError("DIGEST_INVALID", `the bytes have the digest ${actual}`);
  }
  if (!(await store.ask("complete", repository, id, { digest, size }))) throw unknownUpload();
  return created(asked, digest);
}

const created = ({ place, outside }: Asked<"upload" | "uploads">, digest: string) =>
  new Response(null, {
    status: 201,
    headers: { location: outside(`/v2/${place.repository}/blobs/${digest}`), "docker-content-digest": digest },
  });

function progress({ place, outside }: Asked<"upload" | "uploads">, id: string, { size }: Upload, status: number) {
  const location = outside(`/v2/${place.repository}/blobs/uploads/${id}`);
  return new Response(null, { status, headers: { location, range: rangeText(size), "docker-upload-uuid": id } });
}

/** Without a byte it says what Docker's registry says. */
const rangeText = (size: number) => `0-${Math.max(0, size - 1)}`;
