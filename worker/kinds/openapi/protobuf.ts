import { concat } from "../../lib/bytes.ts";
import type { Json } from "./schemas.ts";

/**
 * An OpenAPI 2 document as the protobuf message that kubectl asks for
 * (`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`).
 * Field numbers: https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto
 */
export function openapiV2Protobuf(document: Json): Uint8Array<ArrayBuffer> {
  return concat(encodeDocument(document));
}

/** Bytes in pieces, so that nested messages are copied once, at the end. */
type Parts = Uint8Array[];
type Encode = (value: unknown) => Parts;

const utf8 = new TextEncoder();
const LENGTH_DELIMITED = 2;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

function delimited(field: number, content: Parts): Parts {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([...varint(field * 8 + LENGTH_DELIMITED), ...varint(length)]), ...content];
}

const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const entries = (value: unknown) => Object.entries((value ?? {}) as Json);

const text =
  (field: number): Encode =>
  (value) =>
    delimited(field, [utf8.encode(String(value))]);
const texts =
  (field: number): Encode =>
  (value) =>
    items(value).flatMap(text(field));
const bool =
  (field: number): Encode =>
  (value) => [Uint8Array.from([...varint(field * 8), value ? 1 : 0])];
const integer =
  (field: number): Encode =>
  (value) => [Uint8Array.from([...varint(field * 8), ...varint(Number(value))])];
const double =
  (field: number): Encode =>
  (value) => {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setFloat64(0, Number(value), true);
    return [Uint8Array.from([...varint(field * 8 + 1), ...new Uint8Array(bytes.buffer)])];
  };
const message =
  (field: number, encode: Encode): Encode =>
  (value) =>
    delimited(field, encode(value));
const messages =
  (field: number, encode: Encode): Encode =>
  (value) =>
    items(value).flatMap(message(field, encode));
/** A map, written as a list of name and value. */
const named =
  (field: number, encode: Encode): Encode =>
  (value) =>
    entries(value).flatMap(([name, item]) => delimited(field, [...text(1)(name), ...delimited(2, encode(item))]));
/** Any value, as YAML (of which JSON is a part). */
const any: Encode = (value) => text(2)(JSON.stringify(value));

/** A message from its fields by JSON name; `x-` fields are its vendor extensions. */
const fields =
  (table: Readonly<Record<string, Encode>>, extensions?: number): Encode =>
  (value) =>
    entries(value).flatMap(([name, item]) => {
      if (extensions && name.startsWith("x-")) return named(extensions, any)({ [name]: item });
      return table[name]?.(item) ?? [];
    });

const encodeSchema: Encode = fields(
  {
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: message(5, any),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: bool(8),
    minimum: double(9),
    exclusiveMinimum: bool(10),
    maxLength: integer(11),
    minLength: integer(12),
    pattern: text(13),
    maxItems: integer(14),
    minItems: integer(15),
    uniqueItems: bool(16),
    maxProperties: integer(17),
    minProperties: integer(18),
    required: texts(19),
    enum: messages(20, any),
    additionalProperties: (value) =>
      delimited(21, typeof value === "boolean" ? bool(2)(value) : message(1, encodeSchema)(value)),
    type: message(22, text(1)),
    items: (value) => delimited(23, message(1, encodeSchema)(value)),
    properties: (value) => delimited(25, named(1, encodeSchema)(value)),
  },
  31,
);

const encodeParameter: Encode = (value) => {
  const { in: place } = value as Json;
  const body = fields({ name: text(2), in: text(3), required: bool(4), schema: message(5, encodeSchema) });
  const query = fields({ required: bool(1), in: text(2), name: text(4), type: text(6), uniqueItems: bool(20) });
  const path = fields({ required: bool(1), in: text(2), name: text(4), type: text(5), uniqueItems: bool(19) });
  const parameter =
    place === "body" ? message(1, body) : message(2, place === "path" ? message(4, path) : message(3, query));
  return message(1, parameter)(value);
};

const encodeResponse = fields({ description: text(1), schema: message(2, message(1, encodeSchema)) });

const encodeOperation = fields(
  {
    tags: texts(1),
    operationId: text(5),
    produces: texts(6),
    consumes: texts(7),
    parameters: messages(8, encodeParameter),
    responses: message(9, named(1, message(1, encodeResponse))),
    schemes: texts(10),
  },
  13,
);

const encodePath = fields({
  get: message(2, encodeOperation),
  put: message(3, encodeOperation),
  post: message(4, encodeOperation),
  delete: message(5, encodeOperation),
  patch: message(8, encodeOperation),
  parameters: messages(9, encodeParameter),
});

const encodeDocument = fields({
  swagger: text(1),
  info: message(2, fields({ title: text(1), version: text(2) })),
  paths: message(8, named(2, encodePath)),
  definitions: message(9, named(1, encodeSchema)),
});
