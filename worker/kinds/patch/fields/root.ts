import { copy } from "../../paths.ts";
import type { Schema } from "../../schema.ts";
import { schemaOf } from "../../tables.ts";
import type { JsonObject } from "../json.ts";
import { field } from "./element.ts";
import { FieldSet } from "./field-set.ts";

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const roots = new WeakMap<Schema, Schema>();

/** The schema of a whole object. That of a custom resource need not say what all objects have. */
export function rootOf(schema: Schema): Schema {
  const known = roots.get(schema);
  if (known) return known;
  const { fields } = schema;
  const string: Schema = { type: "string" };
  const root: Schema = fields?.metadata?.fields?.ownerReferences
    ? schema
    : {
        ...schema,
        fields: { ...fields, apiVersion: string, kind: string, metadata: schemaOf(OBJECT_META) },
      };
  roots.set(schema, root);
  return root;
}

const empties = new WeakMap<Schema, Readonly<JsonObject>>();

/** What Go makes of a kind when nothing is set: the structs that it holds by value, and their nulls and zeros. */
export function emptyObject(schema: Schema): Readonly<JsonObject> {
  const known = empties.get(schema) ?? zeros(schema);
  empties.set(schema, known);
  return known;
}

function zeros(schema: Schema): JsonObject {
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(schema.fields ?? {})) {
    if (child.zero === undefined) continue;
    result[name] = child.type === "object" && child.zero !== null ? zeros(child) : copy(child.zero);
  }
  return result;
}

/** A set of whole fields by their dotted names: `status`, `metadata.labels`. */
export const fieldsNamed = (names: readonly string[]): FieldSet =>
  FieldSet.of(...names.map((name) => name.split(".").map(field)));

/** What the system sets of itself; no one owns these. */
export const SYSTEM_FIELDS = fieldsNamed([
  "apiVersion",
  "kind",
  "metadata",
  "metadata.name",
  "metadata.namespace",
  "metadata.creationTimestamp",
  "metadata.selfLink",
  "metadata.uid",
  "metadata.clusterName",
  "metadata.generation",
  "metadata.managedFields",
  "metadata.resourceVersion",
]);
