import type { Kind } from "../../kinds/kind.ts";
import type { Schema } from "../../kinds/schema.ts";
import type { KubeObject } from "../../lib/object.ts";

/** Where a schema has lists that are written as null when nothing is in them: names of fields, `[]` for items. */
type Places = { readonly [name: string]: Places | true };

const placesOf = new WeakMap<Schema, Places | undefined>();

/** kube-apiserver stores built-in kinds in protobuf, which tells an empty list from none at all as little as Go does. */
export function dropEmptyLists({ schema }: Kind, object: KubeObject): void {
  if (!schema.name?.startsWith("io.k8s.api.")) return;
  if (!placesOf.has(schema)) placesOf.set(schema, find(schema, new Set()));
  const places = placesOf.get(schema);
  if (places) drop(object as Record<string, unknown>, places);
}

function find(schema: Schema, above: ReadonlySet<string>): Places | undefined {
  if (schema.type === "list" || schema.type === "map") {
    const below = schema.items && find(schema.items, above);
    return below && { "[]": below };
  }
  if (schema.type !== "object" || (schema.name && above.has(schema.name))) return undefined;
  const path = schema.name ? new Set(above).add(schema.name) : above;
  const found: Record<string, Places | true> = {};
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    const place = field.type === "list" && field.zero === null ? true : find(field, path);
    if (place) found[name] = place;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

function drop(value: Record<string, unknown>, places: Places): void {
  const items = places["[]"];
  const below = items ? Object.keys(value).map((key) => [key, items] as const) : Object.entries(places);
  for (const [name, place] of below) {
    const inner = value[name];
    if (typeof inner !== "object" || inner === null) continue;
    if (place !== true) drop(inner as Record<string, unknown>, place);
    else if (Array.isArray(inner) && inner.length === 0) value[name] = null;
  }
}
