/** Messages that JSON shows as one value: times, quantities, numbers or text, embedded JSON. */
import { BinaryReader, base64Decode, base64Encode, WireType } from "@bufbuild/protobuf/wire";
import { errorText } from "../../lib/error-text.ts";
import { goJson } from "../../lib/go-json.ts";
import { type Codec, expectWire, int32, int64, text, WireError } from "./wire.ts";

type Parts = Record<string, unknown>;
/** Name and form of each part, by number. */
type Layout = Readonly<Record<number, readonly [name: string, codec: Codec]>>;

/** A message of a few parts, put together by `join` and taken apart by `split`; parts that are undefined are not sent. */
function leaf(layout: Layout, join: (parts: Parts) => unknown, split: (value: unknown) => Parts): Codec {
  const order = Object.entries(layout).map(([number, [name, codec]]) => ({ number: Number(number), name, codec }));
  return {
    wire: WireType.LengthDelimited,
    read(reader, depth) {
      const inner = new BinaryReader(reader.bytes());
      const parts: Parts = {};
      while (inner.pos < inner.len) {
        const [number, wire] = inner.tag();
        const part = layout[number];
        if (!part) {
          inner.skip(wire, number);
          continue;
        }
        const [name, codec] = part;
        expectWire(codec.wire, wire, name);
        parts[name] = codec.read(inner, depth);
      }
      return join(parts);
    },
    write(writer, value) {
      const parts = split(value);
      writer.fork();
      for (const { number, name, codec } of order) {
        if (parts[name] === undefined) continue;
        writer.tag(number, codec.wire);
        codec.write(writer, parts[name]);
      }
      writer.join();
    },
  };
}

const bytes: Codec = {
  wire: WireType.LengthDelimited,
  read: (reader) => reader.bytes(),
  write: (writer, value) => writer.bytes(value as Uint8Array),
};

export const base64: Codec = {
  wire: WireType.LengthDelimited,
  read: (reader) => base64Encode(reader.bytes()),
  write: (writer, value) => writer.bytes(base64Decode(String(value))),
};

export const quantity = leaf(
  { 1: ["string", text] },
  ({ string = "" }) => string || "0",
  (value) => ({ string: value }),
);

/** Type 0 is a number, type 1 text. */
export const intOrString = leaf(
  { 1: ["type", int64], 2: ["intVal", int32], 3: ["strVal", text] },
  ({ type = 0, intVal = 0, strVal = "" }) => (type === 1 ? strVal : intVal),
  (value) =>
    typeof value === "string" ? { type: 1, intVal: 0, strVal: value } : { type: 0, intVal: value, strVal: "" },
);

const SECOND_NANOS = 1e9;
/** 0000-01-01 and 9999-12-31 in seconds since 1970: the years that RFC 3339 can write. */
const [FIRST_SECOND, LAST_SECOND] = [-62_167_219_200, 253_402_300_799];

/** Seconds and nanoseconds since 1970, of which `digits` are kept; an empty message is no time at all. */
const time = (digits: number) =>
  leaf(
    { 1: ["seconds", int64], 2: ["nanos", int32] },
    ({ seconds, nanos }) => {
      if (seconds === undefined && nanos === undefined) return undefined;
      const [whole, rest] = [Number(seconds ?? 0), Number(nanos ?? 0)];
      const outside = whole < FIRST_SECOND || whole > LAST_SECOND || rest < 0 || rest >= SECOND_NANOS;
      if (outside) throw new WireError("time out of range");
      const date = new Date(whole * 1000).toISOString().slice(0, 19);
      return digits ? `${date}.${String(rest).padStart(9, "0").slice(0, digits)}Z` : `${date}Z`;
    },
    (value) => {
      const fraction = /\.(\d{1,9})/.exec(String(value))?.[1] ?? "";
      return {
        seconds: Math.floor(Date.parse(String(value)) / 1000),
        nanos: digits ? Number(fraction.padEnd(9, "0")) : 0,
      };
    },
  );

export const wholeTime = time(0);
export const microTime = time(6);

const decoder = new TextDecoder("utf-8");
const encoder = new TextEncoder();

/** JSON as it stands (RawExtension, FieldsV1, JSON). */
export const rawJson = leaf(
  { 1: ["raw", bytes] },
  ({ raw }) => {
    if (!(raw instanceof Uint8Array) || raw.length === 0) return undefined;
    try {
      return JSON.parse(decoder.decode(raw)) as unknown;
    } catch (error) {
      throw new WireError(errorText(error));
    }
  },
  (value) => ({ raw: encoder.encode(goJson(value)) }),
);
