/** What a strategic merge patch may make of an object that its Go type cannot hold, in the words of apimachinery. */

import { DecodeError, decode } from "../decode.ts";
import type { Schema } from "../schema.ts";
import { goTypeOf } from "../tables.ts";
import { isObject } from "./json.ts";

/** The first problem; undefined when there is none. `null` and what the schema does not know are none. */
export function misconversion(schema: Schema, value: unknown): string | undefined {
  if (value === null || value === undefined || schema.type === "any") return undefined;
  if (schema.format && schema.format in SCALARS) return unreadable(schema, value);
  if (schema.type === "object") {
    if (!isObject(value)) return `cannot restore struct from: ${goKind(value)}`;
    return first(Object.entries(schema.fields ?? {}), ([name, field]) =>
      Object.hasOwn(value, name) ? misconversion(field, value[name]) : undefined,
    );
  }
  if (schema.type === "map") {
    if (!isObject(value)) return `cannot restore map from ${goKind(value)}`;
    return first(Object.values(value), (item) => misconversion(schema.items ?? ANY, item));
  }
  if (schema.type === "list") {
    if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
    return first(value, (item) => misconversion(schema.items ?? ANY, item));
  }
  return scalarProblem(schema, value);
}

const ANY: Schema = { type: "any" };
/** Texts with a form of their own: each reads itself. */
const SCALARS: Readonly<Record<string, true>> = {
  byte: true,
  "date-time": true,
  "micro-time": true,
  quantity: true,
  "int-or-string": true,
};

function first<T>(items: readonly T[], problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const goKind = (value: unknown): string => (Array.isArray(value) ? "slice" : isObject(value) ? "map" : goScalar(value));

function goScalar(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

/** Go converts numbers to text and to each other, and nothing else. */
function scalarProblem(schema: Schema, value: unknown): string | undefined {
  const kind = goKind(value);
  const fits: Partial<Record<Schema["type"], readonly string[]>> = {
    string: ["string"],
    boolean: ["bool"],
    integer: ["int64"],
    number: ["int64", "float64"],
  };
  if (fits[schema.type]?.includes(kind)) return undefined;
  const isNumber = typeof value === "number";
  const isConvertible = isNumber && (schema.type === "integer" || (schema.type === "string" && kind === "int64"));
  return isConvertible
    ? `cannot convert ${kind} to ${goTypeOf(schema)}`
    : `unrecognized type: ${goBases[schema.type] ?? schema.format ?? "int32"}`;
}

const goBases: Partial<Record<Schema["type"], string>> = { string: "string", boolean: "bool", number: "float64" };

function unreadable(schema: Schema, value: unknown): string | undefined {
  if (schema.format === "byte" && typeof value !== "string") return `cannot restore slice from ${goKind(value)}`;
  try {
    decode({ type: "list", items: schema }, [structuredClone(value)], "Ignore");
    return undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return schema.format === "byte" ? `error decoding from json: ${error.message}` : error.message;
  }
}
