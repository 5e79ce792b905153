/** What a path of the distribution API names. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints */
import { RegistryError } from "./errors.ts";

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
/** Clients hold the host and the repository together to 255 characters. */
const MAX_REPOSITORY_LENGTH = 255;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export type Place =
  | { type: "base" }
  | { type: "catalog" }
  | { type: "uploads"; repository: string }
  | { type: "upload"; repository: string; id: string }
  | { type: "blob"; repository: string; digest: string }
  | { type: "manifest"; repository: string; reference: string }
  | { type: "tags"; repository: string }
  | { type: "referrers"; repository: string; digest: string };

/** Undefined where nothing is. A digest or tag that can be none is refused here. */
export function placeOf(path: string): Place | undefined {
  if (path === "/v2" || path === "/v2/") return { type: "base" };
  if (path === "/v2/_catalog") return { type: "catalog" };
  const [, name = "", rest = ""] =
    /^\/v2\/(.+)\/((?:blobs|manifests|referrers)\/[^/]+(?:\/[^/]*)?|tags\/list)$/.exec(path) ?? [];
  if (!name) return undefined;
  const repository = repositoryOf(name);
  const [kind, first = "", second] = rest.split("/");
  if (kind === "tags") return { type: "tags", repository };
  if (kind === "blobs" && first === "uploads")
    return second ? { type: "upload", repository, id: second } : { type: "uploads", repository };
  if (second !== undefined) return undefined;
  if (kind === "blobs") return { type: "blob", repository, digest: digestOf(first) };
  if (kind === "referrers") return { type: "referrers", repository, digest: digestOf(first) };
  return { type: "manifest", repository, reference: referenceOf(first) };
}

export function repositoryOf(name: string): string {
  if (REPOSITORY.test(name) && name.length <= MAX_REPOSITORY_LENGTH) return name;
  throw new RegistryError("NAME_INVALID", `invalid repository name ${JSON.stringify(name)}`);
}

/** A repository as the cluster has it, by the name that clients have for it. */
export const inside = (name: string, prefix: string): string =>
  name.startsWith(prefix) ? name.slice(prefix.length) : name;

export const isDigest = (text: string): boolean => DIGEST.test(text);
export const isTag = (text: string): boolean => TAG.test(text);

export function digestOf(text: string): string {
  const digest = decoded(text);
  if (isDigest(digest)) return digest;
  throw new RegistryError("DIGEST_INVALID", `invalid digest ${JSON.stringify(digest)}`);
}

function referenceOf(text: string): string {
  const reference = decoded(text);
  if (reference.includes(":")) return digestOf(reference);
  if (isTag(reference)) return reference;
  throw new RegistryError("MANIFEST_INVALID", `invalid tag ${JSON.stringify(reference)}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
