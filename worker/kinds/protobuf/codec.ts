/** Codecs of whole messages, made from the schema of their definition and its field numbers. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { isEmpty, leavesOutEmpty } from "../decode.ts";
import type { Schema } from "../schema.ts";
import { schemaOf } from "../tables.ts";
import { schemaChoices } from "./choices.ts";
import { base64, intOrString, microTime, quantity, rawJson, wholeTime } from "./leaves.ts";
import { type Numbers, numbersOf } from "./numbers.ts";
import { boolean, type Codec, deeper, double, expectWire, int32, int64, text, WireError } from "./wire.ts";
import type { Writer } from "./writer.ts";

type Fields = Record<string, unknown>;
/** One field of a message, tag and all. */
type Field = {
  read(into: Fields, reader: BinaryReader, wire: WireType, depth: number): void;
  write(writer: Writer, from: Fields): void;
  isSet(from: Fields): boolean;
};

/** The fields of a message, by number, and in the order of the numbers. */
class FieldSet {
  readonly all: readonly Field[];
  private readonly byNumber: ReadonlyMap<number, Field>;

  constructor(byNumber: ReadonlyMap<number, Field>) {
    this.byNumber = byNumber;
    this.all = [...byNumber.values()];
  }

  get(number: number): Field | undefined {
    return this.byNumber.get(number);
  }
}

const formats: Readonly<Record<string, Codec>> = {
  byte: base64,
  "date-time": wholeTime,
  "micro-time": microTime,
  quantity,
  "int-or-string": intOrString,
  int32,
  int64,
};
const types: Partial<Record<Schema["type"], Codec>> = { string: text, boolean, number: double, any: rawJson };

/** The codec of a field's type, of a list's items, or of a map's values. */
function codecOf(schema: Schema): Codec {
  const choice = schema.type === "any" && schema.name ? choices[schema.name] : undefined;
  const simple = choice ?? formats[schema.format ?? ""] ?? types[schema.type];
  if (simple) return simple;
  if (schema.type === "list" && schema.items) return wrappedList(schema.items);
  if (schema.type === "object" && schema.name) return messageOf(schema.name);
  throw new WireError(`${schema.name ?? schema.type} has no protobuf form`);
}

const messages = new Map<string, Codec>();

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The codec of a definition such as `io.k8s.api.core.v1.Pod`; its fields are looked at when they are first needed. */
export function messageOf(definition: string): Codec {
  const known = messages.get(definition);
  if (known) return known;
  const codec = message(once(() => fieldsOf(schemaOf(definition), numbersOf(definition) ?? [])));
  messages.set(definition, codec);
  return codec;
}

const choices = schemaChoices(messageOf);

const meta = (type: string) => messageOf(`io.k8s.apimachinery.pkg.apis.meta.v1.${type}`);
const partial = message(once(() => new FieldSet(new Map([[1, single(1, "metadata", meta("ObjectMeta"))]]))));

/** Objects of any kind as their metadata alone: these stand in no OpenAPI document, and so not in its tables. */
export const partialMessages: Readonly<Record<string, Codec>> = {
  PartialObjectMetadata: partial,
  PartialObjectMetadataList: message(
    once(
      () =>
        new FieldSet(
          new Map([
            [1, single(1, "metadata", meta("ListMeta"))],
            [2, list(2, "items", partial)],
          ]),
        ),
    ),
  ),
};

function message(fields: () => FieldSet): Codec {
  return {
    wire: WireType.LengthDelimited,
    read: (reader, depth) => readFields({}, fields(), reader, depth),
    write: (writer, value) => writeFields(writer, fields(), value as Fields),
  };
}

function readFields(into: Fields, fields: FieldSet, reader: BinaryReader, depth: number): Fields {
  const below = deeper(depth);
  const inner = new BinaryReader(reader.bytes());
  while (inner.pos < inner.len) {
    const [number, wire] = inner.tag();
    const field = fields.get(number);
    if (field) field.read(into, inner, wire, below);
    else inner.skip(wire, number);
  }
  return into;
}

function writeFields(writer: Writer, fields: FieldSet, from: Fields): void {
  writer.fork();
  for (const field of fields.all) if (field.isSet(from)) field.write(writer, from);
  writer.join();
}

function fieldsOf(schema: Schema, numbers: Numbers): FieldSet {
  const fields = new Map<number, Field>();
  for (const [index, name] of numbers.entries()) {
    if (name === null) continue;
    const number = index + 1;
    const type = typeof name === "string" ? schema.fields?.[name] : undefined;
    if (typeof name !== "string") fields.set(number, inlined(number, fieldsOf(schema, name)));
    else if (type) fields.set(number, fieldOf(number, name, type));
  }
  return new FieldSet(fields);
}

function fieldOf(number: number, name: string, schema: Schema): Field {
  const { items } = schema;
  if (schema.type === "list" && items) return list(number, name, codecOf(items));
  if (schema.type === "map" && items) return map(number, name, codecOf(items), () => emptyOf(items));
  return single(number, name, codecOf(schema), leavesOutEmpty(schema));
}

/** The fields of a message inside, which JSON shows as the outer object's own. */
const inlined = (number: number, fields: FieldSet): Field => ({
  isSet: (from) => fields.all.some((field) => field.isSet(from)),
  read(into, reader, wire, depth) {
    expectWire(WireType.LengthDelimited, wire, String(number));
    readFields(into, fields, reader, depth);
  },
  write(writer, from) {
    writer.tag(number, WireType.LengthDelimited);
    writeFields(writer, fields, from);
  },
});

const has = (name: string) => (from: Fields) => from[name] !== undefined && from[name] !== null;

/** Go sends every field that is no pointer, set or not; JSON has none of the empty ones that it would leave out. */
const single = (number: number, name: string, codec: Codec, omitsEmpty = false): Field => ({
  isSet: has(name),
  read(into, reader, wire, depth) {
    expectWire(codec.wire, wire, name);
    const value = codec.read(reader, depth);
    if (value === undefined || (omitsEmpty && isEmpty(value))) delete into[name];
    else into[name] = value;
  },
  write(writer, from) {
    writer.tag(number, codec.wire);
    codec.write(writer, from[name]);
  },
});

/** A field for each item; numbers may also come packed into one. */
const list = (number: number, name: string, codec: Codec): Field => ({
  isSet: has(name),
  read(into, reader, wire, depth) {
    const items = (into[name] ?? []) as unknown[];
    if (wire === WireType.LengthDelimited && codec.wire === WireType.Varint) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) items.push(codec.read(packed, depth));
    } else {
      expectWire(codec.wire, wire, name);
      items.push(codec.read(reader, depth) ?? null);
    }
    into[name] = items;
  },
  write(writer, from) {
    for (const item of from[name] as Iterable<unknown>) {
      writer.tag(number, codec.wire);
      codec.write(writer, item);
    }
  },
});

const KEY = 1;
const VALUE = 2;

/** A message of key and value for each entry. Also a key that means something to JavaScript is just a key. */
const map = (number: number, name: string, codec: Codec, empty: () => unknown): Field => ({
  isSet: has(name),
  read(into, reader, wire, depth) {
    expectWire(WireType.LengthDelimited, wire, name);
    const entry = readFields({}, entryOf(codec), reader, depth);
    const entries = (into[name] ?? {}) as Fields;
    const value = entry.value ?? empty();
    Object.defineProperty(entries, String(entry.key ?? ""), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    into[name] = entries;
  },
  write(writer, from) {
    for (const [key, value] of Object.entries(from[name] as Fields).sort(([a], [b]) => (a < b ? -1 : 1))) {
      writer.tag(number, WireType.LengthDelimited);
      writeFields(writer, entryOf(codec), { key, value });
    }
  },
});

const entries = new WeakMap<Codec, FieldSet>();

function entryOf(codec: Codec): FieldSet {
  const known = entries.get(codec);
  if (known) return known;
  const fields = new FieldSet(
    new Map([
      [KEY, single(KEY, "key", text)],
      [VALUE, single(VALUE, "value", codec)],
    ]),
  );
  entries.set(codec, fields);
  return fields;
}

/** What a key without a value, or with an empty one, stands for. */
function emptyOf({ type, format }: Schema): unknown {
  if (format === "quantity") return "0";
  if (format === "date-time" || format === "micro-time" || type === "any") return null;
  return type === "string" ? "" : type === "list" ? [] : {};
}

/** A list inside a map is a message with the items in field 1. */
function wrappedList(items: Schema): Codec {
  const fields = new FieldSet(new Map([[1, list(1, "items", codecOf(items))]]));
  return {
    wire: WireType.LengthDelimited,
    read: (reader, depth) => readFields({}, fields, reader, depth).items ?? [],
    write: (writer, value) => writeFields(writer, fields, { items: value }),
  };
}
