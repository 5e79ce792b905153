import { isObject, type JsonObject } from "../json.ts";
import { type Element, parseElement } from "./element.ts";
import { FieldSet } from "./field-set.ts";

/** Reads a FieldsV1; undefined for what is none. */
export function parseFieldsV1(fields: unknown): FieldSet | undefined {
  const set = new FieldSet();
  return isObject(fields) && read(fields, [], set) ? set : undefined;
}

function read(fields: JsonObject, path: readonly Element[], into: FieldSet): boolean {
  for (const [key, below] of Object.entries(fields)) {
    if (key === ".") continue;
    const element = parseElement(key);
    if (element === undefined || !isObject(below)) return false;
    const child = [...path, element];
    if ("." in below || Object.keys(below).length === 0) into.insert(child);
    if (!read(below, child, into)) return false;
  }
  return true;
}
