import { badRequest } from "../../lib/status.ts";

/**
 * Where a list goes on: the last key sent, and the snapshot it belongs to (revision 0: whatever is there now), with the
 * time of the first page in ms.
 */
export type ContinueToken = { revision: number; since: number; namespace: string; name: string };

/**
 * How long the pages of a list show its first moment. The longer ago that is, the more of the change log is read for a
 * page; clients are used to the five minutes for which etcd keeps the past.
 */
export const MAX_SNAPSHOT_AGE_MS = 300_000;

export function encodeToken({ revision, since, namespace, name }: ContinueToken): string {
  const text = JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, since, start: `${namespace}\u0000${name}` });
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Throws 400 for what this server did not write. */
export function decodeToken(token: string): ContinueToken {
  try {
    const binary = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    const { v, rv, since, start } = JSON.parse(text) as Record<string, unknown>;
    const [namespace, name, ...rest] = typeof start === "string" ? start.split("\u0000") : [];
    const isRevision = v === "meta.k8s.io/v1" && Number.isSafeInteger(rv);
    if (isRevision && namespace !== undefined && name && rest.length === 0)
      return { revision: rv as number, since: Number(since ?? 0), namespace, name };
  } catch {
    // not base64 or not JSON: the same answer
  }
  throw badRequest("continue key is not valid: illegal base64 data or unknown version");
}
