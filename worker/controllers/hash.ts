import { fnv32 } from "../lib/fnv.ts";
import { safeEncode } from "./names.ts";

/** JSON with sorted keys, so that equal templates have one text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`)
    .join(",")}}`;
}

/** A short name for a value, the same for equal values; `collisions` makes another one when it is taken. */
export function hashOf(value: unknown, collisions = 0): string {
  return safeEncode(String(fnv32(canonical(value) + (collisions > 0 ? `#${collisions}` : ""))));
}
