import { byteLength, fromBase64 } from "../../lib/bytes.ts";
import type { FieldTypes } from "../../lib/cel/environment.ts";
import type { Sizes } from "../../lib/cel/estimate.ts";
import { parseDuration, parseTimestamp } from "../../lib/cel/times.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  structType,
  TIMESTAMP,
  type Type,
} from "../../lib/cel/types.ts";
import { CelDuration, celValue, KeyedList } from "../../lib/cel/values.ts";
import type { Schema } from "../schema.ts";

/**
 * Values of a custom resource as expressions see them through their schema: which type each has, how large it can be,
 * and the value in it.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export type Declared = {
  readonly type: Type;
  /** By the names that expressions write. */
  readonly fields?: ReadonlyMap<string, Declared>;
  readonly key?: Declared;
  readonly item?: Declared;
  /** The most items, entries, characters or octets there can be; 0 where that means nothing. */
  readonly maxSize: number;
  /** Octets of the shortest JSON. */
  readonly minBytes: number;
};

/** No request is longer. */
export const MAX_REQUEST_BYTES: number = 3 * 1024 * 1024;
const MAX_STRING = MAX_REQUEST_BYTES - 2;
const UTF8_BYTES = 4;

const simple = (type: Type, minBytes: number, maxSize = 0): Declared => ({ type, minBytes, maxSize });

/**
 * What a schema declares; undefined where expressions cannot see it. `isResource` is a whole object, or an embedded one;
 * `name` is the type's own.
 */
export function declare(
  schema: Schema,
  isResource: boolean,
  name = "selfType",
  within: ReadonlySet<string> = new Set(),
): Declared | undefined {
  if (schema.name !== undefined) {
    // A schema within itself is seen only once.
    if (within.has(schema.name)) return declareObject({ type: "object" }, name, within);
    return declareType(schema, isResource, name, new Set([...within, schema.name]));
  }
  return declareType(schema, isResource, name, within);
}

type Within = ReadonlySet<string>;

function declareType(schema: Schema, isResource: boolean, name: string, within: Within): Declared | undefined {
  if (within.size && schema.format === "quantity") return undefined;
  switch (schema.type) {
    case "any":
      // Of what a built-in type holds as it comes nothing can be seen.
      return within.size ? declareObject({ type: "object" }, name, within) : undefined;
    case "list":
      return schema.items && declareList(schema, schema.items, name, within);
    case "map":
      return schema.items && declareMap(schema, schema.items, name, within);
    case "object":
      return declareObject(isResource ? withResourceFields(schema) : schema, name, within);
    case "string":
      return declareString(schema);
    case "integer":
      return simple(INT, 1);
    case "number":
      return simple(DOUBLE, 1);
    case "boolean":
      return simple(BOOL, 4);
    default:
      return undefined;
  }
}

function declareList({ maxItems }: Schema, items: Schema, name: string, within: Within): Declared | undefined {
  const item = declare(items, items.embedded ?? false, `${name}.@idx`, within);
  if (!item) return undefined;
  const most =
    maxItems === undefined ? Math.floor((MAX_REQUEST_BYTES - 2) / (item.minBytes + 1)) : Math.max(0, maxItems);
  return { type: listOf(item.type), item, maxSize: most, minBytes: 2 };
}

function declareMap({ maxProperties }: Schema, values: Schema, name: string, within: Within): Declared | undefined {
  const item = declare(values, values.embedded ?? false, `${name}.@elem`, within);
  if (!item) return undefined;
  const most =
    maxProperties === undefined
      ? Math.floor((MAX_REQUEST_BYTES - 2) / (item.minBytes + 6))
      : Math.max(0, maxProperties);
  return { type: mapOf(STRING, item.type), key: simple(STRING, 2), item, maxSize: most, minBytes: 2 };
}

function declareObject(schema: Schema, name: string, within: Within): Declared {
  const fields = new Map<string, Declared>();
  let minBytes = 2;
  for (const [field, inner] of Object.entries(schema.fields ?? {})) {
    const written = escapeName(field);
    const declared = declare(inner, inner.embedded ?? false, `${name}.${written ?? field}`, within);
    if (!declared) continue;
    if (written !== undefined) fields.set(written, declared);
    // What has a default may be left out.
    if (schema.required?.includes(field) && inner.default === undefined)
      minBytes += field.length + declared.minBytes + 4;
  }
  return { type: structType(name), fields, maxSize: 0, minBytes };
}

const TEXT: Schema = { type: "string" };

/** Of its metadata only the names can be seen. */
const withResourceFields = (schema: Schema): Schema => ({
  ...schema,
  fields: {
    ...schema.fields,
    apiVersion: TEXT,
    kind: TEXT,
    metadata: { type: "object", fields: { name: TEXT, generateName: TEXT } },
  },
});

function declareString({ format, maxLength, enum: values }: Schema): Declared {
  const bounded = maxLength === undefined ? undefined : Math.max(0, maxLength);
  switch (format) {
    case "int-or-string":
      return simple(DYN, 1, bounded === undefined ? MAX_STRING : bounded * UTF8_BYTES);
    case "byte":
      return simple(BYTES, 2, bounded ?? MAX_STRING);
    case "duration":
      return simple(DURATION, 3, 32);
    case "date":
      return simple(TIMESTAMP, 12, 12);
    case "date-time":
    case "micro-time":
      return simple(TIMESTAMP, 21, 32);
    default:
      return simple(STRING, 2, bounded === undefined ? longest(values) : bounded * UTF8_BYTES);
  }
}

function longest(values: readonly unknown[] | undefined): number {
  if (!values?.length) return MAX_STRING;
  return Math.max(...values.map((value) => (typeof value === "string" ? byteLength(value) : 0)));
}

/** The types of objects within, by their names. */
export function fieldTypes(root: Declared): FieldTypes {
  const objects = new Map<string, ReadonlyMap<string, Declared>>();
  const visit = ({ type, fields, item }: Declared): void => {
    if (fields) objects.set(type.name, fields);
    if (item) visit(item);
    for (const field of fields?.values() ?? []) visit(field);
  };
  visit(root);
  return {
    hasType: (name) => objects.has(name),
    field: (type, field) => objects.get(type)?.get(field)?.type,
  };
}

/** How large what lies at a path can be; its first step is `self` or `oldSelf`. */
export function sizesOf(root: Declared): Sizes {
  return (path) => {
    if (!path.length) return undefined;
    let at: Declared | undefined = root;
    for (const step of path.slice(1)) {
      at = step === "@items" || step === "@values" ? at?.item : step === "@keys" ? at?.key : at?.fields?.get(step);
      if (!at) return undefined;
    }
    return { min: 0, max: at.maxSize };
  };
}

/** Words of the language, which cannot be names of fields. */
const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const ESCAPES: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** A field's name as expressions write it; undefined for one that they cannot. */
function escapeName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__|[./-]/g, (part) => ESCAPES[part] as string);
}

export function selfValue(schema: Schema | undefined, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (!schema || schema.type === "any" || schema.name) return celValue(value);
  switch (schema.type) {
    case "list":
      return Array.isArray(value) ? listValue(schema, value) : value;
    case "map":
      return mapFields(value, (item) => selfValue(schema.items, item));
    case "object":
      return mapFields(value, (item, name) => selfValue(schema.fields?.[name], item), schema);
    case "integer":
      return typeof value === "number" ? BigInt(Math.trunc(value)) : value;
    case "string":
      return stringValue(schema, value);
    default:
      return value;
  }
}

/** Lists that are sets or maps keep no order. */
function listValue({ listType, listKeys = [], items }: Schema, list: readonly unknown[]): unknown[] {
  const values = list.map((item) => selfValue(items, item));
  if (listType === "set") return KeyedList.keyed(values, (item) => item);
  if (listType !== "map") return values;
  const names = listKeys.map((key) => escapeName(key) ?? key);
  return KeyedList.keyed(values, (item) => names.map((name) => (item as Record<string, unknown>)?.[name] ?? null));
}

function stringValue({ format }: Schema, value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== "string") return value;
  if (format === "date-time") return parseTimestamp(value.replace("t", "T").replace("z", "Z")) ?? value;
  if (format === "date") return parseTimestamp(`${value}T00:00:00Z`) ?? value;
  if (format === "duration") return parseDuration(value) ?? new CelDuration(0n);
  if (format === "byte") return fromBase64(value);
  return value;
}

function mapFields(value: unknown, change: (item: unknown, name: string) => unknown, schema?: Schema): unknown {
  if (typeof value !== "object" || value === null) return value;
  const fields: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    // What the schema does not name cannot be looked at.
    if (schema && !Object.hasOwn(schema.fields ?? {}, name)) continue;
    const written = schema ? escapeName(name) : name;
    if (written !== undefined && item !== undefined) fields[written] = change(item, name);
  }
  return fields;
}
