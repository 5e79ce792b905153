import { badRequest } from "../../lib/status.ts";

/** Where a list goes on: the last key sent, and the snapshot it belongs to (0: whatever is there now). */
export type ContinueToken = { revision: number; namespace: string; name: string };

export function encodeToken({ revision, namespace, name }: ContinueToken): string {
  const text = JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${namespace}\u0000${name}` });
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
    const { v, rv, start } = JSON.parse(text) as Record<string, unknown>;
    const [namespace, name, ...rest] = typeof start === "string" ? start.split("\u0000") : [];
    if (v === "meta.k8s.io/v1" && Number.isSafeInteger(rv) && namespace !== undefined && name && rest.length === 0)
      return { revision: rv as number, namespace, name };
  } catch {
    // not base64 or not JSON: the same answer
  }
  throw badRequest("continue key is not valid: illegal base64 data or unknown version");
}
