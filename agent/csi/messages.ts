/** Messages of protocol buffers, as far as those of CSI and of the kubelet's plugins need them. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** What a field holds: a text, a flag or number, a message, or several of one kind. Empty ones are not written. */
export type Value =
  | string
  | boolean
  | number
  | Uint8Array
  | ReadonlyMap<string, string>
  | readonly string[]
  | undefined;

/** A message of fields by their numbers. */
export function message(fields: Readonly<Record<number, Value>>): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of Object.entries(fields)) write(writer, Number(number), value);
  return writer.finish();
}

function write(writer: BinaryWriter, field: number, value: Value): void {
  if (value === undefined || value === "" || value === false || value === 0) return;
  if (typeof value === "string") writer.tag(field, WireType.LengthDelimited).string(value);
  else if (typeof value === "boolean") writer.tag(field, WireType.Varint).bool(value);
  else if (typeof value === "number") writer.tag(field, WireType.Varint).int64(value);
  else if (value instanceof Uint8Array) writer.tag(field, WireType.LengthDelimited).bytes(value);
  else if (Array.isArray(value)) for (const one of value as readonly string[]) write(writer, field, one);
  else
    for (const [key, text] of value as ReadonlyMap<string, string>)
      writer.tag(field, WireType.LengthDelimited).bytes(message({ 1: key, 2: text }));
}

export const mapOf = (object: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> =>
  new Map(Object.entries(object ?? {}));

/** The value of a field that is an int64; 0 when it is not there. */
export function longIn(bytes: Uint8Array, wanted: number): number {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === wanted && wire === WireType.Varint) return Number(reader.int64());
    reader.skip(wire, field);
  }
  return 0;
}
