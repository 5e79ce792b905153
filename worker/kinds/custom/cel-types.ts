import type { Environment } from "@marcbachmann/cel-js";
import { celValue } from "../../lib/cel/values.ts";
import type { Schema } from "../schema.ts";

/**
 * Values of a custom resource as CEL sees them through their schema: which type each has, and the value in it.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export function declareSelf(environment: Environment, schema: Schema, names: readonly string[]): void {
  const declared = new Map<Schema, string>();
  const type = typeOf(environment, schema, "object", declared);
  for (const name of names) environment.registerVariable(name, type);
}

const TIMESTAMP = "google.protobuf.Timestamp";
const scalars: Readonly<Record<string, string>> = {
  string: "string",
  integer: "int",
  number: "double",
  boolean: "bool",
};
const formatted: Readonly<Record<string, string>> = {
  "date-time": TIMESTAMP,
  date: TIMESTAMP,
  duration: "google.protobuf.Duration",
  byte: "bytes",
  "int-or-string": "dyn",
};

function typeOf(environment: Environment, schema: Schema, path: string, declared: Map<Schema, string>): string {
  if (schema.nullable) return "dyn";
  switch (schema.type) {
    case "list":
      return `list<${schema.items ? typeOf(environment, schema.items, `${path}.item`, declared) : "dyn"}>`;
    case "map":
      return `map<string, ${schema.items ? typeOf(environment, schema.items, `${path}.value`, declared) : "dyn"}>`;
    case "object":
      return schema.name ? "dyn" : objectType(environment, schema, path, declared);
    case "any":
      return "dyn";
    default:
      return (schema.type === "string" && formatted[schema.format ?? ""]) || (scalars[schema.type] ?? "dyn");
  }
}

function objectType(environment: Environment, schema: Schema, path: string, declared: Map<Schema, string>): string {
  const known = declared.get(schema);
  if (known) return known;
  const entries = Object.entries(schema.fields ?? {});
  if (!entries.length && schema.preserveUnknown) return "dyn";
  const fields: Record<string, string> = {};
  for (const [name, field] of entries)
    fields[escapeName(name)] = typeOf(environment, field, `${path}.${escapeName(name)}`, declared);
  environment.registerType(path, { fields });
  declared.set(schema, path);
  return path;
}

/** Words of the language, which cannot be names of fields. */
const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** A field's name as expressions write it. */
function escapeName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name
    .replaceAll("__", "__underscores__")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
}

/** `duration` makes what the library takes for one. */
export type Convert = { duration(text: string): unknown };

export function selfValue(schema: Schema | undefined, value: unknown, convert: Convert): unknown {
  if (value === null || value === undefined) return value;
  if (!schema || schema.type === "any" || schema.name) return celValue(value);
  switch (schema.type) {
    case "list":
      return Array.isArray(value) ? value.map((item) => selfValue(schema.items, item, convert)) : value;
    case "map":
      return mapFields(value, (item) => selfValue(schema.items, item, convert), false);
    case "object":
      if (!Object.keys(schema.fields ?? {}).length) return celValue(value);
      return mapFields(value, (item, name) => selfValue(schema.fields?.[name], item, convert), true, schema);
    case "integer":
      return typeof value === "number" ? BigInt(Math.trunc(value)) : value;
    case "string":
      return stringValue(schema, value, convert);
    default:
      return value;
  }
}

function stringValue({ format }: Schema, value: unknown, convert: Convert): unknown {
  if (typeof value === "number") return BigInt(Math.trunc(value));
  if (typeof value !== "string") return value;
  if (format === "date-time" || format === "date") return new Date(value);
  if (format === "duration") return convert.duration(value);
  if (format === "byte") return Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
  return value;
}

function mapFields(
  value: unknown,
  change: (item: unknown, name: string) => unknown,
  isEscaped: boolean,
  schema?: Schema,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  const fields: Record<string, unknown> = {};
  // What the schema does not name cannot be looked at.
  for (const [name, item] of Object.entries(value))
    if (!schema || Object.hasOwn(schema.fields ?? {}, name))
      fields[isEscaped ? escapeName(name) : name] = change(item, name);
  return fields;
}
