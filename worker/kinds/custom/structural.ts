import type { ApiextensionsV1JSONSchemaProps as Props } from "../generated/types.ts";
import type { Schema } from "../schema.ts";
import { schemaOf } from "../tables.ts";

/**
 * The Schema of a CustomResourceDefinition's structural JSON schema.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structuralSchema(props: Props): Schema {
  return withType(props, { ...valueRules(props), ...structureOf(props) });
}

/** The whole object: as declared, with the fields that every object has. */
export function objectSchema(props: Props): Schema {
  return withObjectFields({ ...structuralSchema(props), type: "object" });
}

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const withObjectFields = (schema: Schema): Schema => ({
  ...schema,
  fields: {
    ...schema.fields,
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: schemaOf(OBJECT_META),
  },
});

function withType(props: Props, rest: Omit<Schema, "type">): Schema {
  const schema: Schema = { ...rest, type: typeOf(props) };
  if (props["x-kubernetes-int-or-string"]) schema.format = "int-or-string";
  return props["x-kubernetes-embedded-resource"] ? withObjectFields(schema) : schema;
}

function typeOf(props: Props): Schema["type"] {
  if (props["x-kubernetes-int-or-string"]) return "string";
  switch (props.type) {
    case "array":
      return "list";
    case "object":
      return valuesOf(props) ? "map" : "object";
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return props.type;
    default:
      return "any";
  }
}

/** The schema of the values of a map; undefined where properties are named, or where any value is kept. */
function valuesOf({ additionalProperties, properties }: Props): Props | undefined {
  if (properties || typeof additionalProperties !== "object" || additionalProperties === null) return undefined;
  return additionalProperties as Props;
}

function structureOf(props: Props): Omit<Schema, "type"> {
  const { properties, additionalProperties, items } = props;
  const values = valuesOf(props);
  const within = values ?? (props.type === "array" ? (items as Props | undefined) : undefined);
  const fields = properties && Object.entries(properties).map(([name, field]) => [name, structuralSchema(field)]);
  return given({
    fields: fields ? Object.fromEntries(fields) : props.type === "object" && !values ? {} : undefined,
    items: within && structuralSchema(within),
    preserveUnknown: props["x-kubernetes-preserve-unknown-fields"] || additionalProperties === true || undefined,
    embedded: props["x-kubernetes-embedded-resource"] || undefined,
    listType: props["x-kubernetes-list-type"] as Schema["listType"],
    listKeys: props["x-kubernetes-list-map-keys"],
    atomic: props["x-kubernetes-map-type"] === "atomic" || undefined,
    default: props.default,
    nullable: props.nullable || undefined,
    description: props.description,
    rules: props["x-kubernetes-validations"],
  });
}

/** What a value must satisfy, wherever it stands: alternatives hold nothing else. */
function valueRules(props: Props): Omit<Schema, "type"> {
  const all = (list: readonly Props[] | undefined) => list?.map(structuralSchema);
  return given({
    format: props.format || undefined,
    required: props.required,
    enum: props.enum,
    pattern: props.pattern || undefined,
    minimum: props.minimum,
    maximum: props.maximum,
    exclusiveMinimum: props.exclusiveMinimum || undefined,
    exclusiveMaximum: props.exclusiveMaximum || undefined,
    multipleOf: props.multipleOf,
    minLength: props.minLength,
    maxLength: props.maxLength,
    minItems: props.minItems,
    maxItems: props.maxItems,
    uniqueItems: props.uniqueItems || undefined,
    minProperties: props.minProperties,
    maxProperties: props.maxProperties,
    allOf: all(props.allOf),
    anyOf: all(props.anyOf),
    oneOf: all(props.oneOf),
    not: props.not && structuralSchema(props.not),
  });
}

const given = <T extends object>(facts: T): T =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as T;
