import type { Schema } from "../schema.ts";

export type PathProblem = { readonly problem: string };

const TOKEN = /'(?:\\.|[^'\\])*'|[.[\]]|[^.[\]']+|'/g;

/**
 * What a path of names (`.spec.a`, `['a']`) leads to in a schema, and the path as messages write it; or why it leads
 * nowhere.
 */
export function fieldPath(
  text: string,
  root: Schema,
  { allowsBrackets = true }: { allowsBrackets?: boolean } = {},
): { path: string; schema: Schema } | PathProblem {
  let path = "";
  let schema = root;
  const tokens = text.match(TOKEN) ?? [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    if (token !== "." && token !== "[") return { problem: `expected [ or . but got: ${token}` };
    if (token === "[" && !allowsBrackets) return { problem: "array notation is not allowed" };
    const name = tokens[++at];
    if (name === undefined) return { problem: "unexpected end of JSON path" };
    const read = token === "." ? { name } : unquoted(name, tokens[++at]);
    if ("problem" in read) return read;
    const step = follow(schema, path, read.name);
    if (!step) return { problem: "does not refer to a valid field" };
    ({ path, schema } = step);
  }
  return { path, schema };
}

function unquoted(token: string, end: string | undefined): { name: string } | PathProblem {
  if (!/^'.*'$/s.test(token)) return { problem: `expected single quoted string but got ${token}` };
  if (end === undefined) return { problem: "unexpected end of JSON path" };
  if (end !== "]") return { problem: `expected ] but got ${end}` };
  return { name: token.slice(1, -1).replace(/\\(.)/g, "$1") };
}

function follow(schema: Schema, path: string, name: string): { path: string; schema: Schema } | undefined {
  if (Object.keys(schema.fields ?? {}).length) {
    const field = Object.hasOwn(schema.fields ?? {}, name) ? schema.fields?.[name] : undefined;
    return field && { path: path ? `${path}.${name}` : name, schema: field };
  }
  return schema.type === "map" && schema.items ? { path: `${path}[${name}]`, schema: schema.items } : undefined;
}
