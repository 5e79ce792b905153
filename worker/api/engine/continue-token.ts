import { JsonError, parseJson } from "../../lib/json.ts";
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

const VERSION = "meta.k8s.io/v1";

export function encodeToken({ revision, since, namespace, name }: ContinueToken): string {
  const text = JSON.stringify({ v: VERSION, rv: revision, since, start: `${namespace}\u0000${name}` });
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Throws 400 for what this server did not write. */
export function decodeToken(token: string): ContinueToken {
  const refuse = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let text: string;
  try {
    const binary = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    text = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    const bad = token.search(/[^\w-]/);
    throw refuse(`illegal base64 data at input byte ${bad < 0 ? token.length : bad}`);
  }
  let value: Record<string, unknown>;
  try {
    value = (parseJson(text) ?? {}) as Record<string, unknown>;
  } catch (error) {
    throw error instanceof JsonError ? refuse(error.message) : error;
  }
  const { v, rv, since, start } = value;
  if (v !== VERSION) throw refuse(`server does not recognize this encoded version ${JSON.stringify(v ?? "")}`);
  const [namespace, name, ...rest] = typeof start === "string" ? start.split("\u0000") : [];
  if (Number.isSafeInteger(rv) && namespace !== undefined && name && rest.length === 0)
    return { revision: rv as number, since: Number(since ?? 0), namespace, name };
  throw refuse(`incorrect encoded start resourceVersion (version ${VERSION})`);
}
