import { toBase64 } from "../bytes.ts";
import { CelError } from "./errors.ts";
import { formatDuration, formatTimestamp } from "./times.ts";
import { CelDuration, CelObject, CelOptional, CelTimestamp, CelType, CelUint, typeNameOf } from "./values.ts";

/** A value as JSON holds it. Throws CelError for what it cannot hold. */
export function jsonValue(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof CelUint) return Number(value.value);
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDuration(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (value instanceof CelObject || value instanceof CelType || value instanceof CelOptional)
    throw new CelError(`unsupported conversion from ${typeNameOf(value)} to JSON`);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [String(key), jsonValue(item)]));
}
