/** Values as Go prints them in messages. */
import { isObject, type JsonObject } from "../json.ts";

/** `%v`: `map[a:1 b:[x y]]`. */
export function show(of: unknown): string {
  if (Array.isArray(of)) return `[${of.map(show).join(" ")}]`;
  return isObject(of) ? showMap(of) : String(of ?? "<nil>");
}

export function showMap(of: JsonObject): string {
  const names = Object.keys(of).sort();
  return `map[${names.map((name) => `${name}:${show(of[name])}`).join(" ")}]`;
}

/** `%#v`: `map[string]interface {}{"a":1}`. */
export function goValue(of: unknown): string {
  if (of === null || of === undefined) return "interface {}(nil)";
  if (Array.isArray(of)) return `[]interface {}{${of.map(goValue).join(", ")}}`;
  if (!isObject(of)) return JSON.stringify(of);
  const names = Object.keys(of).sort();
  return `map[string]interface {}{${names.map((name) => `${JSON.stringify(name)}:${goValue(of[name])}`).join(", ")}}`;
}
