import type { Schema } from "./schema.ts";

/**
 * Fills, in place, what is absent: schema defaults, and the zero values that Go writes for fields held by value
 * (`resources: {}`). Goes only into what is there, so an absent optional object stays absent. Idempotent.
 */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (schema.type === "list") {
    if (schema.items && Array.isArray(value)) for (const item of value) applyDefaults(schema.items, item);
    return;
  }
  if (Array.isArray(value)) return;
  const object = value as Record<string, unknown>;
  if (schema.type === "map") {
    if (schema.items) for (const item of Object.values(object)) applyDefaults(schema.items, item);
    return;
  }
  if (!schema.fields) return;
  for (const [name, field] of Object.entries(schema.fields)) {
    if (object[name] === undefined || (object[name] === null && !field.nullable)) {
      const absent = field.default ?? field.zero;
      if (absent === undefined) continue;
      object[name] = typeof absent === "object" ? structuredClone(absent) : absent;
    }
    applyDefaults(field, object[name]);
  }
}
