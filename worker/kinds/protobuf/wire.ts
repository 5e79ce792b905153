/** Values on the wire: https://protobuf.dev/programming-guides/encoding/ */
import { type BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Writer } from "./writer.ts";

/** Bytes that are no message, or none of a kind that has a protobuf form. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** How a value of one type stands on the wire, after its tag. */
export type Codec = {
  readonly wire: WireType;
  /** The value as JSON has it; undefined stands for a field that was never set. `depth` counts messages around it. */
  read(reader: BinaryReader, depth: number): unknown;
  write(writer: Writer, value: unknown): void;
};

const varint = { wire: WireType.Varint } as const;

export const text: Codec = {
  wire: WireType.LengthDelimited,
  read: (reader) => reader.string(),
  write: (writer, value) => writer.string(String(value)),
};
export const boolean: Codec = {
  ...varint,
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value === true),
};
export const int32: Codec = {
  ...varint,
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int64(Number(value)),
};
export const int64: Codec = {
  ...varint,
  read: (reader) => Number(reader.int64()),
  write: (writer, value) => writer.int64(Number(value)),
};
export const double: Codec = {
  wire: WireType.Bit64,
  read: (reader) => reader.double(),
  write: (writer, value) => writer.double(Number(value)),
};

export function expectWire(wanted: WireType, given: WireType, field: string): void {
  if (given !== wanted) throw new WireError(`proto: wrong wireType = ${given} for field ${field}`);
}

/** Levels of nesting in one message; recursion must not outgrow the stack. */
const MAX_DEPTH = 200;

export function deeper(depth: number): number {
  if (depth >= MAX_DEPTH) throw new WireError("exceeded max depth");
  return depth + 1;
}
