/**
 * Values of expressions. int is a bigint, double a number, bytes a Uint8Array, a list an array, a map an object (its
 * keys are strings) or a Map; string, bool and null are their own. The rest are classes here and in the libraries.
 */
import { CelError } from "./errors.ts";
import type { Type, TypeKind } from "./types.ts";

export class CelUint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since 1970; `zone` is the offset that it was written with, which only shows when it is text again. */
export class CelTimestamp {
  readonly nanos: bigint;
  readonly zone: string;

  constructor(nanos: bigint, zone = "Z") {
    this.nanos = nanos;
    this.zone = zone;
  }
}

export class CelDuration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class CelOptional {
  readonly held: { readonly value: unknown } | undefined;

  constructor(held?: { value: unknown }) {
    this.held = held;
  }
}

export const NONE: CelOptional = new CelOptional();
export const some = (value: unknown): CelOptional => new CelOptional({ value });

export class CelType {
  readonly type: Type;

  constructor(type: Type) {
    this.type = type;
  }
}

/** What a library adds: its type's name, and when two of them are equal. */
export abstract class CelObject {
  abstract readonly typeName: string;

  equals(other: CelObject): boolean {
    return this === other;
  }
}

/** A list whose items have keys (`x-kubernetes-list-type` set or map): equal in any order, and `+` merges. */
export class KeyedList extends Array<unknown> {
  keyOf: (item: unknown) => unknown = (item) => item;

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static keyed(items: readonly unknown[], keyOf: (item: unknown) => unknown): KeyedList {
    const list = new KeyedList();
    list.keyOf = keyOf;
    for (const item of items) list.push(item);
    return list;
  }
}

/** JSON as expressions see it where no schema says more: whole numbers are integers. */
export function celValue(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== "object" || value === null) return value;
  const object: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) if (field !== undefined) object[name] = celValue(field);
  return object;
}

export type CelMap = Readonly<Record<string, unknown>> | ReadonlyMap<unknown, unknown>;

export const isMap = (value: unknown): value is CelMap => kindOf(value) === "map";

export function kindOf(value: unknown): TypeKind {
  switch (typeof value) {
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    default:
      return kindOfObject(value);
  }
}

function kindOfObject(value: unknown): TypeKind {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "list";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof CelUint) return "uint";
  if (value instanceof CelTimestamp) return "timestamp";
  if (value instanceof CelDuration) return "duration";
  if (value instanceof CelType) return "type";
  if (value instanceof CelOptional) return "opaque";
  return value instanceof CelObject ? "struct" : "map";
}

const madeTypes = new WeakMap<object, string>();

/** An object that an expression made, of the type it named. */
export function made<T extends object>(object: T, type: string): T {
  madeTypes.set(object, type);
  return object;
}

export const madeAs = (object: object): string | undefined => madeTypes.get(object);

/** As `type(value)` names it. */
export function typeNameOf(value: unknown): string {
  if (value instanceof CelObject) return value.typeName;
  const kind = kindOf(value);
  if (kind === "opaque") return "optional_type";
  if (kind === "timestamp") return "google.protobuf.Timestamp";
  if (kind === "duration") return "google.protobuf.Duration";
  return kind === "null" ? "null_type" : kind;
}

/** Keys of one number are one key, whatever their types. */
export function keyValue(key: unknown): unknown {
  if (key instanceof CelUint) return key.value;
  return typeof key === "number" && Number.isInteger(key) ? BigInt(key) : key;
}

export function hasKey(map: CelMap, key: unknown): boolean {
  return map instanceof Map ? map.has(keyValue(key)) : typeof key === "string" && Object.hasOwn(map, key);
}

/** Of a key that is there. */
export const valueAt = (map: CelMap, key: unknown): unknown =>
  map instanceof Map ? map.get(keyValue(key)) : (map as Record<string, unknown>)[key as string];

export const keysOf = (map: CelMap): unknown[] => (map instanceof Map ? [...map.keys()] : Object.keys(map));

export const mapSize = (map: CelMap): number => (map instanceof Map ? map.size : Object.keys(map).length);

/** Code points. */
export function stringLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const low = text.charCodeAt(at + 1);
    if (low >= 0xdc00 && low <= 0xdfff) length--;
  }
  return length;
}

const isNumber = (value: unknown): value is bigint | number | CelUint =>
  typeof value === "bigint" || typeof value === "number" || value instanceof CelUint;

const plainNumber = (value: bigint | number | CelUint): bigint | number =>
  value instanceof CelUint ? value.value : value;

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // JavaScript compares a bigint with a number by their mathematical values, as is wanted here.
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  switch (kind) {
    case "list":
      return equalLists(a as unknown[], b as unknown[]);
    case "map":
      return equalMaps(a as CelMap, b as CelMap);
    case "timestamp":
    case "duration":
      return (a as CelTimestamp).nanos === (b as CelTimestamp).nanos;
    case "bytes":
      return compareBytes(a as Uint8Array, b as Uint8Array) === 0;
    case "type":
      return (a as CelType).type.name === (b as CelType).type.name;
    case "opaque":
      return equalOptionals(a as CelOptional, b as CelOptional);
    case "struct":
      return (a as CelObject).typeName === (b as CelObject).typeName && (a as CelObject).equals(b as CelObject);
    default:
      return false;
  }
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const keyed = a instanceof KeyedList ? a : b instanceof KeyedList ? b : undefined;
  if (!keyed) return a.every((item, index) => equal(item, b[index]));
  return a.every((item) => {
    const key = keyed.keyOf(item);
    return b.some((other) => equal(keyed.keyOf(other), key) && equal(other, item));
  });
}

const equalMaps = (a: CelMap, b: CelMap): boolean =>
  mapSize(a) === mapSize(b) && keysOf(a).every((key) => hasKey(b, key) && equal(valueAt(a, key), valueAt(b, key)));

const equalOptionals = ({ held: a }: CelOptional, { held: b }: CelOptional): boolean =>
  a === undefined || b === undefined ? a === b : equal(a.value, b.value);

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++)
    if (a[at] !== b[at]) return (a[at] as number) < (b[at] as number) ? -1 : 1;
  return Math.sign(a.length - b.length);
}

/** By code points, as Go compares. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    return (a.codePointAt(at) as number) < (b.codePointAt(at) as number) ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

function compareNumbers(a: bigint | number | CelUint, b: bigint | number | CelUint): number {
  const [left, right] = [plainNumber(a), plainNumber(b)];
  if (left < right) return -1;
  if (left > right) return 1;
  return [left, right].some(Number.isNaN) ? Number.NaN : 0;
}

/** Below, at or above zero; NaN where a number is none. Undefined for what has no order. */
export function compare(a: unknown, b: unknown): number | undefined {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return undefined;
  switch (kind) {
    case "string":
      return compareStrings(a as string, b as string);
    case "bool":
      return Number(a) - Number(b);
    case "bytes":
      return compareBytes(a as Uint8Array, b as Uint8Array);
    case "timestamp":
    case "duration": {
      const [left, right] = [(a as CelTimestamp).nanos, (b as CelTimestamp).nanos];
      return left < right ? -1 : left > right ? 1 : 0;
    }
    default:
      return undefined;
  }
}

/** Throws where two values have no order. */
export function ordered(a: unknown, b: unknown): number {
  const order = compare(a, b);
  if (order === undefined) throw new CelError("no such overload");
  return order;
}

/** Whether a value may be an argument of this type. Only what the type itself says is looked at, not its contents. */
export function isOfType(value: unknown, type: Type): boolean {
  switch (type.kind) {
    case "dyn":
    case "param":
    case "error":
      return true;
    case "opaque":
      return type.name === "optional_type"
        ? value instanceof CelOptional
        : value instanceof CelObject && value.typeName === type.name;
    case "struct":
      return value instanceof CelObject ? value.typeName === type.name : kindOf(value) === "map";
    case "list":
      return Array.isArray(value) && (value.length === 0 || isOfType(value[0], type.params[0] as Type));
    default:
      return kindOf(value) === type.kind;
  }
}
