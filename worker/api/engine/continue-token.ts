import { fromBase64Url, toBase64Url } from "../../lib/bytes.ts";
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

/** In a token, where it goes on in what is there now. */
const NOW = -1;

export function encodeToken({ revision, since, namespace, name }: ContinueToken): string {
  const text = JSON.stringify({ v: VERSION, rv: revision || NOW, since, start: `${namespace}\u0000${name}` });
  return toBase64Url(new TextEncoder().encode(text));
}

/** Throws 400 for what this server did not write. */
export function decodeToken(token: string): ContinueToken {
  const refuse = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let text: string;
  try {
    text = new TextDecoder().decode(fromBase64Url(token));
  } catch {
    const bad = token.search(/[^\w-]/);
    throw refuse(`illegal base64 data at input byte ${bad < 0 ? token.length : bad}`);
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw error instanceof JsonError ? refuse(error.message) : error;
  }
  const wrong = mistyped(value);
  if (wrong !== undefined) throw refuse(`json: cannot unmarshal ${wrong}`);
  const { v = "", rv = 0, since, start = "" } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (v !== VERSION) throw refuse(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw refuse(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (start === "") throw refuse(`encoded start key empty (version ${VERSION})`);
  const [namespace = "", name = "", ...rest] = String(start).split("\u0000");
  const steps = String(start).replace(/^\//, "").split("/");
  if (rest.length > 0 || steps.some((step) => ["", ".", ".."].includes(step))) throw refuse(String(start));
  return { revision: Math.max(0, Number(rv)), since: Number(since ?? 0), namespace, name };
}

/** What of it Go would not read into its own token, in Go's words. */
function mistyped(value: unknown): string | undefined {
  const into = (field: string, type: string) => `into Go struct field continueToken.${field} of type ${type}`;
  if (value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value))
    return `${goKind(value)} into Go value of type storage.continueToken`;
  for (const [field, type] of Object.entries(FIELDS)) {
    const found = (value as Record<string, unknown>)[field] ?? null;
    if (found === null) continue;
    if (typeof found !== (type === "string" ? type : "number")) return `${goKind(found)} ${into(field, type)}`;
    if (typeof found === "number" && !Number.isSafeInteger(found)) return `number ${found} ${into(field, type)}`;
  }
  return undefined;
}

const FIELDS = { v: "string", rv: "int64", start: "string" };

function goKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
