import type { Schema } from "./schema.ts";

type Fields = Record<string, unknown>;

/**
 * Fills, in place, the schema's defaults, and the empty objects that Go holds by value (`resources: {}`), so that
 * rules of a kind find them. Goes only into what is there: an absent optional object stays absent. Idempotent.
 */
export function applyDefaults(schema: Schema, value: unknown): void {
  walk(schema, value, (field) => field.default ?? (field.type === "object" ? field.zero : undefined));
}

/** Fills, in place, what Go writes for fields that were never set: `""`, `0`, `null`, `{}`. Runs after all defaults. */
export function writeZeros(schema: Schema, value: unknown): void {
  walk(schema, value, (field) => field.zero);
}

function walk(schema: Schema, value: unknown, absent: (field: Schema) => unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (schema.type === "list" || schema.type === "map") {
    const { items } = schema;
    if (!items || !canHold(items)) return;
    for (const item of Array.isArray(value) ? value : Object.values(value)) walk(items, item, absent);
    return;
  }
  const { fields } = schema;
  if (!fields || Array.isArray(value)) return;
  const object = value as Fields;
  for (const name in fields) {
    const field = fields[name];
    if (!field) continue;
    if (object[name] === undefined || (object[name] === null && !field.nullable)) {
      const filling = absent(field);
      if (filling === undefined) continue;
      object[name] = typeof filling === "object" ? structuredClone(filling) : filling;
    }
    if (canHold(field)) walk(field, object[name], absent);
  }
}

/** Whether something can be missing inside. */
const canHold = (schema: Schema) => schema.type === "object" || schema.type === "list" || schema.type === "map";
