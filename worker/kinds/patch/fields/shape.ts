import type { Schema } from "../../schema.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type Element, item, value } from "./element.ts";

/**
 * How ownership takes a value apart: not at all (scalars, atomic lists and maps), by its fields, or by its items.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
export type Shape = "leaf" | "map" | "list";

const ANY: Schema = { type: "any" };

/** `of` decides where the schema lets everything be. */
export function shapeOf(schema: Schema, of: unknown): Shape {
  if (schema.type === "any") return isObject(of) && (schema === ANY || schema.preserveUnknown) ? "map" : "leaf";
  if (schema.type === "object" || schema.type === "map") return schema.atomic ? "leaf" : "map";
  if (schema.type === "list") return schema.listType === "map" || schema.listType === "set" ? "list" : "leaf";
  return "leaf";
}

export const isDeclared = (schema: Schema, name: string): boolean =>
  schema.fields !== undefined && Object.hasOwn(schema.fields, name);

export function fieldSchema(schema: Schema, name: string): Schema {
  if (schema.fields && Object.hasOwn(schema.fields, name)) return schema.fields[name] ?? ANY;
  return schema.items && schema.type === "map" ? schema.items : ANY;
}

export const itemSchema = (schema: Schema): Schema => schema.items ?? ANY;

/** What an item of a set or a list with keys is known by; a key left out has its default. */
export function elementOf(schema: Schema, of: unknown): Element {
  if (schema.listType !== "map") return value(of);
  const keys: JsonObject = {};
  for (const key of schema.listKeys ?? []) {
    const given = isObject(of) ? of[key] : undefined;
    const found = given === undefined ? itemSchema(schema).fields?.[key]?.default : given;
    if (found !== undefined) keys[key] = found;
  }
  return item(keys);
}
