/**
 * Objects in Kubernetes' protobuf form, as typed clients send built-in kinds.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { definitionOfKind } from "../generated/schemas.ts";
import type { Schema } from "../schema.ts";
import { schemaOf } from "../tables.ts";
import { type Numbers, numbersOf } from "./numbers.ts";
import { fieldsOf, WireError, type WireField } from "./wire.ts";

type Fields = Record<string, unknown>;
type Value = WireField["value"];

/** What every such body begins with: `k8s` and a zero byte. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];
/** Levels of nesting in one message; recursion must not outgrow the stack. */
const MAX_DEPTH = 200;

const decoder = new TextDecoder("utf-8");

function bytes(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError("wrong wireType");
}
const text = (value: Value): string => decoder.decode(bytes(value));
function integer(value: Value): number {
  if (typeof value === "bigint") return Number(value);
  throw new WireError("wrong wireType");
}

/** The fields of a small message by number; the last of each counts. */
const byNumber = (value: Value): Map<number, Value> =>
  new Map([...fieldsOf(bytes(value))].map((field) => [field.number, field.value]));

function base64(value: Value): string {
  let binary = "";
  for (const byte of bytes(value)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Seconds and nanoseconds since 1970; an empty one is no time. */
function time(value: Value, fractionDigits: number): string | undefined {
  const fields = byNumber(value);
  const [seconds, nanos] = [integer(fields.get(1) ?? 0n), integer(fields.get(2) ?? 0n)];
  if (seconds === 0 && nanos === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw new WireError("time out of range");
  const fraction = fractionDigits ? `.${String(nanos).padStart(9, "0").slice(0, fractionDigits)}` : "";
  return `${date.toISOString().slice(0, 19)}${fraction}Z`;
}

/** Type 0 is a number, type 1 text. A zero that is not a pointer was never set. */
function intOrString(value: Value, schema: Schema): number | string | undefined {
  const fields = byNumber(value);
  if (integer(fields.get(1) ?? 0n) === 1) return text(fields.get(3) ?? new Uint8Array());
  const number = integer(fields.get(2) ?? 0n);
  return number === 0 && !schema.pointer ? undefined : number;
}

const formats: Readonly<Record<string, (value: Value, schema: Schema) => unknown>> = {
  byte: base64,
  "date-time": (value) => time(value, 0),
  "micro-time": (value) => time(value, 6),
  quantity: (value) => text(byNumber(value).get(1) ?? new Uint8Array()) || "0",
  "int-or-string": intOrString,
};

/** JSON as it stands, wrapped in a message of one field. */
function raw(value: Value): unknown {
  const json = byNumber(value).get(1);
  if (json === undefined || bytes(json).length === 0) return undefined;
  try {
    return JSON.parse(text(json)) as unknown;
  } catch (error) {
    throw new WireError(error instanceof Error ? error.message : String(error));
  }
}

/** JSONSchemaProps' fields that hold one of two types: what each number of their message means. */
type Either = (fields: Map<number, Value[]>, depth: number) => unknown;
const PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
const props = (value: Value, depth: number) => message(schemaOf(PROPS), bytes(value), depth);
const first = (fields: Map<number, Value[]>, number: number) => fields.get(number)?.[0];
const schemaOr =
  (other: (fields: Map<number, Value[]>, depth: number) => unknown, schemaNumber = 1): Either =>
  (fields, depth) => {
    const schema = first(fields, schemaNumber);
    return schema ? props(schema, depth) : other(fields, depth);
  };
const orBool = schemaOr((fields) => integer(first(fields, 1) ?? 0n) !== 0, 2);
const EITHER: Readonly<Record<string, Either>> = {
  items: schemaOr((fields, depth) => (fields.get(2) ?? []).map((value) => props(value, depth))),
  dependencies: schemaOr((fields) => (fields.get(2) ?? []).map(text)),
  additionalProperties: orBool,
  additionalItems: orBool,
};

function either(read: Either, value: Value, depth: number): unknown {
  const fields = new Map<number, Value[]>();
  for (const field of fieldsOf(bytes(value)))
    fields.set(field.number, [...(fields.get(field.number) ?? []), field.value]);
  return read(fields, depth);
}

function scalar(schema: Schema, value: Value, depth: number): unknown {
  const special = schema.format === undefined ? undefined : formats[schema.format];
  if (special) return special(value, schema);
  switch (schema.type) {
    case "string":
      return text(value);
    case "boolean":
      return integer(value) !== 0;
    case "integer":
      return integer(value);
    case "number":
      return Number(value);
    case "any":
      return raw(value);
    case "object":
      return message(schema, bytes(value), depth + 1);
    case "list":
      // Lists inside maps and lists are messages with the items in field 1.
      return [...fieldsOf(bytes(value))].map((field) => scalar(schema.items as Schema, field.value, depth + 1));
    default:
      throw new WireError(`a ${schema.type} inside another`);
  }
}

/** A key of a message's map; also one that means something to JavaScript. */
function setKey(map: Fields, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

function mapEntry(value: Value): { key: string; item: Value | undefined } {
  const entry = byNumber(value);
  return { key: text(entry.get(1) ?? new Uint8Array()), item: entry.get(2) };
}

/** One occurrence of a field joins what came before: lists grow, maps gain a key, everything else is replaced. */
function put(into: Fields, name: string, schema: Schema, value: Value, depth: number): void {
  const { items } = schema;
  if (schema.type === "list" && items) {
    const list = (into[name] ?? []) as unknown[];
    list.push(scalar(items, value, depth));
    into[name] = list;
  } else if (schema.type === "map" && items) {
    const map = (into[name] ?? {}) as Fields;
    const { key, item } = mapEntry(value);
    setKey(map, key, item === undefined ? emptyOf(items) : scalar(items, item, depth));
    into[name] = map;
  } else {
    const read = scalar(schema, value, depth);
    if (read !== undefined) into[name] = read;
  }
}

const emptyOf = ({ type }: Schema): unknown => (type === "string" ? "" : type === "list" ? [] : {});

function fill(into: Fields, schema: Schema, numbers: Numbers, value: Uint8Array, depth: number): void {
  for (const field of fieldsOf(value)) {
    const name = numbers[field.number - 1];
    if (name === undefined || name === null) continue;
    if (typeof name !== "string") {
      fill(into, schema, name, bytes(field.value), depth);
      continue;
    }
    const inner = schema.fields?.[name];
    if (!inner) continue;
    const choice = schema.name === PROPS ? EITHER[name] : undefined;
    if (choice && name === "dependencies") putDependency(into, field.value, choice, depth);
    else if (choice) into[name] = either(choice, field.value, depth + 1);
    else put(into, name, inner, field.value, depth);
  }
}

function putDependency(into: Fields, value: Value, choice: Either, depth: number): void {
  const map = (into.dependencies ?? {}) as Fields;
  const { key, item } = mapEntry(value);
  setKey(map, key, either(choice, item ?? new Uint8Array(), depth + 1));
  into.dependencies = map;
}

function message(schema: Schema, value: Uint8Array, depth: number): Fields {
  if (depth > MAX_DEPTH) throw new WireError("exceeded max depth");
  const numbers = schema.name === undefined ? undefined : numbersOf(schema.name);
  if (!numbers) throw new WireError(`${schema.name ?? schema.type} has no protobuf form`);
  const into: Fields = {};
  fill(into, schema, numbers, value, depth);
  return into;
}

/** DeleteOptions and other options come under the group and version of what they are for. */
const OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.";

function definitionFor(apiVersion: string, kind: string): string | undefined {
  const groupVersion = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  return definitionOfKind[`${groupVersion}/${kind}`] ?? (kind.endsWith("Options") ? OPTIONS + kind : undefined);
}

export const isProtobuf = (body: Uint8Array): boolean => MAGIC.every((byte, index) => body[index] === byte);

/** The object in a body that begins with the magic bytes. Throws WireError for what is none, or of no known kind. */
export function decodeProtobuf(body: Uint8Array): Fields {
  if (!isProtobuf(body)) throw new WireError("provided data does not appear to be a protobuf message");
  const envelope = byNumber(body.subarray(MAGIC.length));
  const type = byNumber(envelope.get(1) ?? new Uint8Array());
  const apiVersion = text(type.get(1) ?? new Uint8Array());
  const kind = text(type.get(2) ?? new Uint8Array());
  const definition = definitionFor(apiVersion, kind);
  if (!definition || !numbersOf(definition))
    throw new WireError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...message(schemaOf(definition), bytes(envelope.get(2) ?? new Uint8Array()), 0) };
}
