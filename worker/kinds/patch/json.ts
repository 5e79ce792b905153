import { JsonError, parseJson } from "../../lib/json.ts";
import { badRequest } from "../../lib/status.ts";

export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Go's word for the kind of a JSON value. */
export const jsonKind = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

/** A property of its own, never one that objects inherit; a name like `__proto__` stays a plain key. */
export function set(object: JsonObject, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** undefined for what is absent or inherited. */
export const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Throws 400 for text that is not JSON, with `opening` before what is wrong. */
export function parse(body: string | undefined, opening: string): unknown {
  try {
    return parseJson(body ?? "");
  } catch (error) {
    throw error instanceof JsonError ? badRequest(`${opening}${error.message}`) : error;
  }
}

/** Throws 400 for text that is not a JSON object. */
export function parseObject(body: string | undefined, opening: string): JsonObject {
  const value = parse(body, opening);
  if (isObject(value)) return value;
  throw badRequest(`${opening}json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`);
}
