/** Conversions between types, sizes, and what can be asked of text and time. */
import { Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { formatDouble, int, intOfDouble, uint, uintOfDouble } from "../numbers.ts";
import {
  checkedTimestamp,
  floorDivide,
  formatDuration,
  formatTimestamp,
  localTime,
  parseDuration,
  parseTimestamp,
} from "../times.ts";
import { TYPE_NAMES } from "../types.ts";
import {
  CelDuration,
  type CelMap,
  type CelTimestamp,
  CelType,
  type CelUint,
  mapSize,
  stringLength,
  typeNameOf,
} from "../values.ts";
import { containsPattern } from "./patterns.ts";

const self = <T>(value: T): T => value;
const failed = (to: string) => new CelError(`type conversion error from 'string' to '${to}'`);

function wholeOf(text: string, to: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw failed(to);
  return BigInt(text.replace(/^\+/, ""));
}

function inRange<T>(make: () => T, to: string): T {
  try {
    return make();
  } catch {
    throw failed(to);
  }
}

function parseDouble(text: string): number {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw failed("double");
  return Number(text);
}

const BOOLS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false])),
};

function parseBool(text: string): boolean {
  const value = Object.hasOwn(BOOLS, text) ? BOOLS[text] : undefined;
  if (value === undefined) throw failed("bool");
  return value;
}

function parsed<T>(value: T | undefined, to: string): T {
  if (value === undefined) throw failed(to);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

/** The type of a value, as a value. */
export function typeOf(value: unknown): CelType {
  const name = typeNameOf(value);
  return new CelType(TYPE_NAMES.get(name) ?? { kind: "struct", name, params: [] });
}

const SECOND = 1_000_000_000n;

export const conversions = new Library()
  .add("size(bytes): int", "size_bytes", (value: Uint8Array) => BigInt(value.length))
  .add("bytes::size(): int", "bytes_size", (value: Uint8Array) => BigInt(value.length))
  .add("size(list(A)): int", "size_list", (value: readonly unknown[]) => BigInt(value.length))
  .add("list(A)::size(): int", "list_size", (value: readonly unknown[]) => BigInt(value.length))
  .add("size(map(A, B)): int", "size_map", (value: CelMap) => BigInt(mapSize(value)))
  .add("map(A, B)::size(): int", "map_size", (value: CelMap) => BigInt(mapSize(value)))
  .add("size(string): int", "size_string", (value: string) => BigInt(stringLength(value)))
  .add("string::size(): int", "string_size", (value: string) => BigInt(stringLength(value)))
  .add("type(A): type(A)", "type", typeOf)
  .add("dyn(A): dyn", "to_dyn", self)
  .add("bool(bool): bool", "bool_to_bool", self)
  .add("bool(string): bool", "string_to_bool", parseBool)
  .add("bytes(bytes): bytes", "bytes_to_bytes", self)
  .add("bytes(string): bytes", "string_to_bytes", (text: string) => new TextEncoder().encode(text))
  .add("double(double): double", "double_to_double", self)
  .add("double(int): double", "int64_to_double", (value: bigint) => Number(value))
  .add("double(string): double", "string_to_double", parseDouble)
  .add("double(uint): double", "uint64_to_double", ({ value }: CelUint) => Number(value))
  .add("duration(duration): duration", "duration_to_duration", self)
  .add("duration(int): duration", "int64_to_duration", (value: bigint) => new CelDuration(value))
  .add("duration(string): duration", "string_to_duration", (text: string) =>
    parsed(parseDuration(text), "google.protobuf.Duration"),
  )
  .add("int(int): int", "int64_to_int64", self)
  .add("int(double): int", "double_to_int64", intOfDouble)
  .add("int(duration): int", "duration_to_int64", ({ nanos }: CelDuration) => nanos)
  .add("int(string): int", "string_to_int64", (text: string) => inRange(() => int(wholeOf(text, "int")), "int"))
  .add("int(timestamp): int", "timestamp_to_int64", ({ nanos }: CelTimestamp) => floorDivide(nanos, SECOND))
  .add("int(uint): int", "uint64_to_int64", ({ value }: CelUint) => int(value))
  .add("string(string): string", "string_to_string", self)
  .add("string(bool): string", "bool_to_string", String)
  .add("string(bytes): string", "bytes_to_string", decode)
  .add("string(double): string", "double_to_string", formatDouble)
  .add("string(duration): string", "duration_to_string", formatDuration)
  .add("string(int): string", "int64_to_string", String)
  .add("string(timestamp): string", "timestamp_to_string", formatTimestamp)
  .add("string(uint): string", "uint64_to_string", ({ value }: CelUint) => String(value))
  .add("timestamp(timestamp): timestamp", "timestamp_to_timestamp", self)
  .add("timestamp(int): timestamp", "int64_to_timestamp", (seconds: bigint) => checkedTimestamp(seconds * SECOND))
  .add("timestamp(string): timestamp", "string_to_timestamp", (text: string) =>
    parsed(parseTimestamp(text), "google.protobuf.Timestamp"),
  )
  .add("uint(uint): uint", "uint64_to_uint64", self)
  .add("uint(double): uint", "double_to_uint64", uintOfDouble)
  .add("uint(int): uint", "int64_to_uint64", (value: bigint) => uint(value))
  .add("uint(string): uint", "string_to_uint64", (text: string) => inRange(() => uint(wholeOf(text, "uint")), "uint"))
  .add("string::contains(string): bool", "contains_string", (text: string, part: string) => text.includes(part))
  .add("string::endsWith(string): bool", "ends_with_string", (text: string, part: string) => text.endsWith(part))
  .add("string::startsWith(string): bool", "starts_with_string", (text: string, part: string) => text.startsWith(part))
  .add("matches(string, string): bool", "matches", containsPattern)
  .add("string::matches(string): bool", "matches_string", containsPattern);

const DAY_MS = 86_400_000;

/** The name of each part of an instant, its overload's id, and the part itself. */
const PARTS: readonly [string, string, (at: Date) => number][] = [
  ["getFullYear", "year", (at) => at.getUTCFullYear()],
  ["getMonth", "month", (at) => at.getUTCMonth()],
  ["getDayOfYear", "day_of_year", (at) => Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0)) / DAY_MS)],
  ["getDayOfMonth", "day_of_month", (at) => at.getUTCDate() - 1],
  ["getDate", "day_of_month_1_based", (at) => at.getUTCDate()],
  ["getDayOfWeek", "day_of_week", (at) => at.getUTCDay()],
  ["getHours", "hours", (at) => at.getUTCHours()],
  ["getMinutes", "minutes", (at) => at.getUTCMinutes()],
  ["getSeconds", "seconds", (at) => at.getUTCSeconds()],
  ["getMilliseconds", "milliseconds", (at) => at.getUTCMilliseconds()],
];
for (const [name, id, part] of PARTS)
  conversions
    .add(`timestamp::${name}(): int`, `timestamp_to_${id}`, (at: CelTimestamp) => BigInt(part(localTime(at, "UTC"))))
    .add(`timestamp::${name}(string): int`, `timestamp_to_${id}_with_tz`, (at: CelTimestamp, zone: string) =>
      BigInt(part(localTime(at, zone))),
    );

const UNITS: Readonly<Record<string, bigint>> = {
  Hours: 3600n * SECOND,
  Minutes: 60n * SECOND,
  Seconds: SECOND,
  Milliseconds: 1_000_000n,
};
for (const [name, size] of Object.entries(UNITS))
  conversions.add(
    `duration::get${name}(): int`,
    `duration_to_${name.toLowerCase()}`,
    ({ nanos }: CelDuration) => nanos / size,
  );
