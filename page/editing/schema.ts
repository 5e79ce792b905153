/** What the API says of a kind's fields: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3 */

export type Schema = {
  $ref?: string;
  allOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  type?: string;
  format?: string;
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  required?: readonly string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: readonly string[];
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
};

/** A kind's own schema, and all that it refers to. */
export type KindSchema = { root: Schema; all: Readonly<Record<string, Schema>> };

const PREFIX = "#/components/schemas/";

/** With what it refers to in its place, but for what lies within. */
export function resolved(schema: Schema, all: KindSchema["all"]): Schema {
  const { $ref, allOf = [], ...own } = schema;
  const parts = $ref === undefined ? allOf : [...allOf, all[$ref.slice(PREFIX.length)] ?? {}];
  return Object.assign({}, ...parts.map((part) => resolved(part, all)), own) as Schema;
}

/** Of a field of an object; undefined where nothing is said of it. */
export function fieldOf(schema: Schema | undefined, name: string, all: KindSchema["all"]): Schema | undefined {
  const { properties = {}, additionalProperties } = schema ?? {};
  const field = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
  return typeof field === "object" ? resolved(field, all) : undefined;
}

export const itemOf = (schema: Schema | undefined, all: KindSchema["all"]): Schema | undefined =>
  schema?.items && resolved(schema.items, all);

/** Whether other fields than those named may be in it. */
export const isOpen = (schema: Schema): boolean =>
  schema.properties === undefined ||
  Boolean(schema.additionalProperties) ||
  schema["x-kubernetes-preserve-unknown-fields"] === true ||
  schema["x-kubernetes-embedded-resource"] === true;

/** The JSON types that a value may be of; empty where any is right. */
export function typesOf(schema: Schema): readonly string[] {
  if (schema["x-kubernetes-int-or-string"] || schema.format === "int-or-string") return ["integer", "string"];
  if (schema.type !== undefined) return [schema.type];
  return [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap(({ type }) => type ?? []);
}
