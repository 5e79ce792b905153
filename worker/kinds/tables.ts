import { definitions } from "./generated/schemas.ts";
import type { Subresource } from "./kind.ts";
import type { Schema } from "./schema.ts";

/** One resource of the discovery document, with what was recorded about it. */
export type ResourceFacts = {
  group: string;
  version: string;
  kind: string;
  resource: string;
  singular: string;
  namespaced: boolean;
  /** Its definition in the OpenAPI documents. */
  schema: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  verbs: readonly string[];
  /** Served where it is asked for. */
  optional?: boolean;
  subresources?: readonly Subresource[];
  fieldSelectors?: readonly string[];
  /** Name, type, format, priority, description (`columnText`). */
  columns?: readonly (readonly [string, string, string, number, string])[];
};

/** `integer int32`, `#io.k8s.api.core.v1.Container`, or the same in `is` with what else is known of the field. */
export type Row = string | ({ is: string; items?: Row } & Facts);
type Facts = Pick<
  Schema,
  | "default"
  | "zero"
  | "pointer"
  | "goType"
  | "enum"
  | "listType"
  | "listKeys"
  | "atomic"
  | "patchStrategy"
  | "patchMergeKey"
>;
export type Definition = Pick<Schema, "type" | "format" | "required" | "atomic"> & {
  fields?: Record<string, Row>;
  /** Group, version, kind. */
  kinds?: [string, string, string][];
};

/** The facts of one definition, as generated; undefined for a name that is not there. */
export function definition(name: string): Definition | undefined {
  const text = definitions[name];
  return text === undefined ? undefined : (JSON.parse(text) as Definition);
}

const schemas = new Map<string, Schema>();

/** The Schema of a definition, built when it is first asked for; its fields when they are first looked at. */
export function schemaOf(name: string): Schema {
  const known = schemas.get(name);
  if (known) return known;
  const facts = definition(name);
  if (!facts) throw new Error(`no definition named ${name}`);
  const { fields, kinds: _, ...rest } = facts;
  const schema = fields ? lazily({ ...rest, name }, () => fieldsOf(fields)) : { ...rest, name };
  schemas.set(name, schema);
  return schema;
}

function lazily(schema: Schema, build: () => Record<string, Schema> | undefined): Schema {
  return Object.defineProperty(schema, "fields", {
    configurable: true,
    enumerable: true,
    get() {
      const value = build();
      Object.defineProperty(schema, "fields", { value, enumerable: true });
      return value;
    },
  });
}

function fieldsOf(rows: Record<string, Row>): Record<string, Schema> {
  const fields: Record<string, Schema> = Object.create(null);
  for (const [field, row] of Object.entries(rows)) fields[field] = schemaOfRow(row);
  return fields;
}

function schemaOfRow(row: Row): Schema {
  const { is, items, ...facts } = typeof row === "string" ? { is: row } : row;
  if (is.startsWith("#")) return refine(schemaOf(is.slice(1)), facts);
  const [type, format] = is.split(" ") as [Schema["type"], string?];
  return { type, ...(format && { format }), ...(items !== undefined && { items: schemaOfRow(items) }), ...facts };
}

/** A field's own facts over its definition's, without looking at the definition's fields yet. */
function refine(base: Schema, facts: Facts): Schema {
  if (Object.keys(facts).length === 0) return base;
  const { type, format, required, atomic, name } = base;
  const schema: Schema = { type, format, required, atomic, name, ...facts };
  return type === "object" ? lazily(schema, () => base.fields) : schema;
}

const goNames: Readonly<Record<string, string>> = { boolean: "bool", number: "float64", any: "interface {}" };

/** How a decoding error names the type of a field. */
export function goTypeOf(schema: Schema): string {
  if (schema.goType) return schema.goType;
  if (schema.format === "int-or-string") return "int32";
  if (schema.format === "quantity") return "resource.Quantity";
  if (schema.type === "string") return "string";
  if (schema.name) return schema.name.split(".").slice(-2).join(".");
  if (schema.type === "list") return `[]${schema.items ? goTypeOf(schema.items) : ""}`;
  if (schema.type === "map") return `map[string]${schema.items ? goTypeOf(schema.items) : ""}`;
  return goNames[schema.type] ?? schema.format ?? schema.type;
}
