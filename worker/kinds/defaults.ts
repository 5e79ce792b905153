import { copy } from "./paths.ts";
import type { Schema } from "./schema.ts";

/**
 * Fills, in place, the schema's defaults, and the empty objects that Go holds by value (`resources: {}`), so that
 * rules of a kind find them. Goes only into what is there: an absent optional object stays absent. Idempotent.
 */
export function applyDefaults(schema: Schema, value: unknown): void {
  walk(schema, value, beforeRules);
}

/** Fills, in place, what Go writes for fields that were never set: `""`, `0`, `null`, `{}`. Runs after all defaults. */
export function writeZeros(schema: Schema, value: unknown): void {
  walk(schema, value, afterRules);
}

/** What a pass fills in an object, by its schema; kept, since few of a schema's many fields have anything. */
type Pass = { absent(field: Schema): unknown; fillings: WeakMap<Schema, readonly Filling[]> };
type Filling = { name: string; nullable: boolean; value: unknown };

const beforeRules: Pass = {
  absent: (field) => field.default ?? (field.type === "object" ? field.zero : undefined),
  fillings: new WeakMap(),
};
const afterRules: Pass = { absent: (field) => field.zero, fillings: new WeakMap() };

function fillingsOf(schema: Schema, pass: Pass): readonly Filling[] {
  const known = pass.fillings.get(schema);
  if (known) return known;
  const fillings = Object.entries(schema.fields ?? {}).flatMap(([name, field]) => {
    const value = pass.absent(field);
    return value === undefined ? [] : [{ name, nullable: field.nullable === true, value }];
  });
  pass.fillings.set(schema, fillings);
  return fillings;
}

function walk(schema: Schema, value: unknown, pass: Pass): void {
  if (typeof value !== "object" || value === null) return;
  if (schema.type === "list" || schema.type === "map") {
    const { items } = schema;
    if (!items || !canHold(items)) return;
    for (const item of Array.isArray(value) ? value : Object.values(value)) walk(items, item, pass);
    return;
  }
  const { fields } = schema;
  if (!fields || Array.isArray(value)) return;
  const object = value as Record<string, unknown>;
  for (const { name, nullable, value: filling } of fillingsOf(schema, pass)) {
    const given = object[name];
    if (given !== undefined && (given !== null || nullable || filling === null)) continue;
    object[name] = copy(filling);
  }
  for (const name of Object.keys(object)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field && canHold(field)) walk(field, object[name], pass);
  }
}

/** Whether something can be missing inside. */
const canHold = (schema: Schema) => schema.type === "object" || schema.type === "list" || schema.type === "map";
