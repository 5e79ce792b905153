/**
 * What calls cost when they are made. The numbers are part of the interface: they decide which expressions run to the
 * end. https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints
 */
import { byteLength } from "../bytes.ts";
import { CelOptional, isMap, keysOf, mapSize, stringLength, valueAt } from "./values.ts";

const TRAVERSAL = 0.1;
const REGEX = 0.25;

/** Code points, octets, items, entries; 1 of everything else. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return stringLength(value);
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length;
  if (value instanceof CelOptional) return value.held ? sizeOf(value.held.value) : 1;
  const sized = value as { size?: unknown } | null;
  if (typeof sized?.size === "number" && !(value instanceof Map)) return sized.size;
  return isMap(value) ? mapSize(value) : 1;
}

const traversal = (value: unknown, times = 1): number => Math.ceil(sizeOf(value) * times * TRAVERSAL);

const regexCost = (text: unknown, pattern: unknown): number =>
  Math.ceil((1 + sizeOf(text)) * TRAVERSAL) * Math.ceil(sizeOf(pattern) * REGEX);

/** Of functions that say nothing themselves, by the ids of their overloads. */
export function defaultCost(id: string, args: readonly unknown[]): number {
  const [first, second] = args;
  switch (id) {
    case "starts_with_string":
    case "ends_with_string":
    case "string_to_bytes":
    case "bytes_to_string":
    case "strings_quote":
    case "string_format":
      return traversal(first);
    case "in_list":
      return sizeOf(second);
    case "equals":
    case "not_equals":
      return Math.ceil(Math.min(sizeOf(first), sizeOf(second)) * TRAVERSAL);
    case "add_string":
    case "add_bytes":
      return Math.ceil((sizeOf(first) + sizeOf(second)) * TRAVERSAL);
    case "matches_string":
      return regexCost(first, second);
    case "contains_string":
      return traversal(first) * traversal(second);
    default:
      return /^(?:less|greater)\w*_(?:string|bytes)$/.test(id)
        ? Math.ceil(Math.min(sizeOf(first), sizeOf(second)) * TRAVERSAL)
        : 1;
  }
}

/** Walking through everything within. */
function walkCost(value: unknown): number {
  if (typeof value === "string") return Math.floor(byteLength(value) * TRAVERSAL);
  if (value instanceof Uint8Array) return Math.floor(value.length * TRAVERSAL);
  if (Array.isArray(value)) return value.reduce<number>((cost, item) => cost + walkCost(item), 0);
  if (isMap(value))
    return keysOf(value).reduce<number>((cost, key) => cost + walkCost(key) + walkCost(valueAt(value, key)), 0);
  return 1;
}

type Cost = (args: readonly unknown[], result: unknown) => number;

export const one: Cost = () => 1;
export const ofFirst: Cost = ([first]) => traversal(first);
export const ofFirstTwice: Cost = ([first]) => traversal(first, 2);
export const ofResultTwice: Cost = (_, result) => traversal(result, 2);
export const ofPattern: Cost = ([text, pattern]) => regexCost(text, pattern);
export const ofWalk: Cost = ([first]) => walkCost(first);
/** A pattern of this many characters is applied to the second argument. */
export const ofFormat = (text: unknown, patternSize: number): number =>
  Math.ceil((1 + sizeOf(text)) * TRAVERSAL) * Math.ceil(patternSize * REGEX);
export const scaled = (size: number): number => Math.ceil(size * TRAVERSAL);
