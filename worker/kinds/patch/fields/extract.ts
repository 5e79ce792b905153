import type { Schema } from "../../schema.ts";
import { isObject, type JsonObject, set } from "../json.ts";
import { type Element, field } from "./element.ts";
import { FieldSet } from "./field-set.ts";
import { elementOf, fieldSchema, isDeclared, itemSchema, shapeOf } from "./shape.ts";

/** The fields that a value sets. */
export function fieldsOf(schema: Schema, of: unknown): FieldSet {
  const found = new FieldSet();
  collect(schema, of, [], found);
  return found;
}

function collect(schema: Schema, of: unknown, path: readonly Element[], found: FieldSet): void {
  const shape = shapeOf(schema, of);
  if (shape === "leaf") found.insert(path);
  else if (shape === "list") for (const item of Array.isArray(of) ? of : []) collectItem(schema, item, path, found);
  else
    for (const [name, child] of Object.entries(isObject(of) ? of : {})) collectField(schema, name, child, path, found);
}

function collectItem(schema: Schema, of: unknown, path: readonly Element[], found: FieldSet): void {
  const here = [...path, elementOf(schema, of)];
  collect(itemSchema(schema), of, here, found);
  found.insert(here);
}

/** A key of a map is owned with what is in it; a declared field is only what is in it, unless nothing is. */
function collectField(schema: Schema, name: string, of: unknown, path: readonly Element[], found: FieldSet): void {
  const here = [...path, field(name)];
  collect(fieldSchema(schema, name), of, here, found);
  if (of === null || (isObject(of) && Object.keys(of).length === 0) || !isDeclared(schema, name)) found.insert(here);
}

/** The value without the fields of `gone`; undefined when nothing is left. Atomic values stay whole. */
export function removeFields(schema: Schema, of: unknown, gone: FieldSet): unknown {
  const shape = shapeOf(schema, of);
  if (shape === "list" && Array.isArray(of)) {
    const items = of.flatMap((item) => {
      const element = elementOf(schema, item);
      if (gone.hasMember(element)) return [];
      const below = gone.below(element);
      const rest = below ? removeFields(itemSchema(schema), item, below) : item;
      return rest === undefined ? [] : [rest];
    });
    return items.length > 0 ? items : undefined;
  }
  if (shape !== "map" || !isObject(of)) return of;
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(of)) {
    if (gone.hasMember(field(name))) continue;
    const below = gone.below(field(name));
    // What has lost all of its content is still there, as nothing.
    set(result, name, below ? (removeFields(fieldSchema(schema, name), child, below) ?? null) : child);
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

/** The set with every declared field that has members below it, so that what loses all of its content goes too. */
export function withParents(schema: Schema, fields: FieldSet): FieldSet {
  return fields.withMembers((element, path) => {
    const parent = path.reduce(schemaBelow, schema);
    return element.startsWith("f:") && !parent.atomic && isDeclared(parent, element.slice(2));
  });
}

function schemaBelow(schema: Schema, element: Element): Schema {
  return element.startsWith("f:") ? fieldSchema(schema, element.slice(2)) : itemSchema(schema);
}
