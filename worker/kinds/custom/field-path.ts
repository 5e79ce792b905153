import type { Schema } from "../schema.ts";

const STEP = /^(?:\.([^.[\]]+)|\['((?:\\.|[^'\\])*)'\])/;

/**
 * What a path of names (`.spec.a`, `['a']`) leads to in a schema, and the path as messages write it. Undefined where it
 * leads nowhere.
 */
export function fieldPath(text: string, root: Schema): { path: string; schema: Schema } | undefined {
  let path = "";
  let schema = root;
  for (let rest = text; rest; ) {
    const found = STEP.exec(rest);
    if (!found) return undefined;
    const name = found[1] ?? (found[2] as string).replace(/\\(.)/g, "$1");
    const isField = Object.keys(schema.fields ?? {}).length > 0;
    const next = isField ? schema.fields?.[name] : schema.type === "map" ? schema.items : undefined;
    if (!next || (isField && !Object.hasOwn(schema.fields ?? {}, name))) return undefined;
    path = isField ? (path ? `${path}.${name}` : name) : `${path}[${name}]`;
    schema = next;
    rest = rest.slice(found[0].length);
  }
  return { path, schema };
}
