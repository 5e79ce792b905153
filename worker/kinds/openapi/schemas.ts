import type { Kind } from "../kind.ts";
import type { Schema } from "../schema.ts";
import { definition, schemaOf } from "../tables.ts";
import { descriptionOf, objectDescription } from "./descriptions.ts";

/** The two forms in which OpenAPI is served: https://kubernetes.io/docs/concepts/overview/kubernetes-api/ */
export type OpenApiVersion = "2" | "3";
export type Json = Record<string, unknown>;

const prefix = { 2: "#/definitions/", 3: "#/components/schemas/" } as const;
export const refTo = (version: OpenApiVersion, name: string): Json => ({ $ref: `${prefix[version]}${name}` });

/** `io.k8s.api.apps.v1.Deployment`; of a custom resource `com.example.stable.v1.CronTab`. */
export const definitionName = (kind: Kind): string =>
  kind.schema.name ?? [...kind.group.split(".").reverse(), kind.version, kind.kind].join(".");

const gvk = (group: string, version: string, kind: string): Json => ({ group, kind, version });

/** Adds what `name` needs, itself included, to `into`. */
export function collectDefinition(version: OpenApiVersion, name: string, into: Map<string, Json>): void {
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (into.has(next)) continue;
    into.set(
      next,
      describeDefinition(version, next, (ref) => open.push(ref)),
    );
  }
}

type Reach = (definition: string) => void;

function describeDefinition(version: OpenApiVersion, name: string, reach: Reach): Json {
  const kinds = definition(name)?.kinds?.map(([group, v, kind]) => gvk(group, v, kind));
  const description = descriptionOf(name);
  return {
    ...(description && { description }),
    ...describeStructure(version, schemaOf(name), reach),
    ...(kinds && { "x-kubernetes-group-version-kind": kinds }),
  };
}

const typed = (): Json => ({
  apiVersion: without({ type: "string", description: objectDescription("apiVersion") }),
  kind: without({ type: "string", description: objectDescription("kind") }),
});

/** Beside a reference, version 3 allows nothing, so that it stands within allOf there. */
const withDescription = (version: OpenApiVersion, ref: Json, description = ""): Json =>
  without(version === "3" ? { allOf: [ref], description } : { ...ref, description });

/** A custom resource's definition and its list's. */
export function collectCustom(version: OpenApiVersion, kind: Kind, into: Map<string, Json>): void {
  const name = definitionName(kind);
  const reach: Reach = (ref) => collectDefinition(version, ref, into);
  const declared = kind.openapi ?? describe(version, kind.schema, reach);
  const meta = (type: string) => `io.k8s.apimachinery.pkg.apis.meta.v1.${type}`;
  const refMeta = (type: string) => {
    reach(meta(type));
    return refTo(version, meta(type));
  };
  // With any property named, kubectl takes version 2 to forbid all others.
  const isFree = version === "2" && declared["x-kubernetes-preserve-unknown-fields"] === true;
  const published = (version === "2" ? withoutVersion3(declared) : declared) as Json;
  const { type: _, ...described } = isFree ? {} : published;
  into.set(name, {
    type: "object",
    ...described,
    ...(!isFree && {
      properties: {
        ...typed(),
        ...(published.properties as Json | undefined),
        metadata: withDescription(version, refMeta("ObjectMeta"), objectDescription("metadata")),
      },
    }),
    "x-kubernetes-group-version-kind": [gvk(kind.group, kind.version, kind.kind)],
  });
  into.set(`${name}List`, {
    type: "object",
    required: ["items"],
    properties: {
      ...typed(),
      metadata: refMeta("ListMeta"),
      items: { type: "array", items: refTo(version, name) },
    },
    "x-kubernetes-group-version-kind": [gvk(kind.group, kind.version, kind.listKind)],
  });
}

function describe(version: OpenApiVersion, schema: Schema, reach: Reach): Json {
  const value = schema.default ?? schema.zero ?? undefined;
  const facts = without({
    description: schema.description,
    default: version === "3" ? value : undefined,
    "x-kubernetes-list-type": schema.listType,
    "x-kubernetes-map-type": schema.atomic === false ? "granular" : undefined,
    "x-kubernetes-list-map-keys": schema.listKeys,
    "x-kubernetes-patch-strategy": schema.patchStrategy,
    "x-kubernetes-patch-merge-key": schema.patchMergeKey,
  });
  if (!schema.name) return { ...describeStructure(version, schema, reach), ...facts };
  reach(schema.name);
  const ref = refTo(version, schema.name);
  return version === "3" && Object.keys(facts).length ? { allOf: [ref], ...facts } : { ...ref, ...facts };
}

/** A field with what is said of it, where something is. */
function described({ name: definition }: Schema, name: string, field: Schema): Schema {
  const description = descriptionOf(definition, name);
  // A schema's own fields may be made late, so it is not copied as a whole.
  return description === undefined ? field : Object.assign(Object.create(field) as Schema, { description });
}

const eitherOf = (...types: string[]) => ({ oneOf: types.map((type) => ({ type })) });

function describeStructure(version: OpenApiVersion, schema: Schema, reach: Reach): Json {
  const { type, format, items, fields } = schema;
  if (version === "3" && format === "quantity") return eitherOf("string", "number");
  if (version === "3" && format === "int-or-string") return { format, ...eitherOf("integer", "string") };
  return without({
    type: openApiType(schema),
    format: format && (openApiFormats[format] ?? format),
    properties:
      fields && Object.keys(fields).length
        ? Object.fromEntries(
            Object.entries(fields).map(([name, f]) => [name, describe(version, described(schema, name, f), reach)]),
          )
        : undefined,
    items: type === "list" && items ? describe(version, items, reach) : undefined,
    additionalProperties: type === "map" && items ? describe(version, items, reach) : undefined,
    required: schema.required,
    enum: schema.enum,
    pattern: schema.pattern,
    minimum: schema.minimum,
    maximum: schema.maximum,
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    minItems: schema.minItems,
    maxItems: schema.maxItems,
    "x-kubernetes-map-type": schema.atomic ? "atomic" : undefined,
    "x-kubernetes-preserve-unknown-fields": schema.preserveUnknown,
    "x-kubernetes-embedded-resource": schema.embedded,
  });
}

const openApiFormats: Readonly<Record<string, string | undefined>> = { quantity: "", "micro-time": "date-time" };

function openApiType({ type, name }: Schema): string | undefined {
  if (type === "list") return "array";
  if (type === "map") return "object";
  if (type !== "any") return type;
  // Go structs that hold anything are objects; JSON values may be of any type.
  return name && !name.includes(".apiextensions.") ? "object" : undefined;
}

const without = (facts: Json): Json =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== ""));

/**
 * OpenAPI 2 has no alternatives and no null; what may be null is then of any type. Where unknown fields are kept,
 * nothing may be named, or kubectl refuses them.
 */
function withoutVersion3(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutVersion3);
  if (typeof schema !== "object" || schema === null) return schema;
  const { nullable, anyOf, oneOf, not, allOf, default: _, ...rest } = schema as Json;
  const isFree = rest["x-kubernetes-preserve-unknown-fields"] === true;
  if (nullable || isFree) {
    delete rest.type;
    delete rest.items;
    delete rest.properties;
  }
  const { properties, enum: values, ...others } = rest;
  return {
    ...mapValues(others as Json, withoutVersion3),
    ...(properties !== undefined && { properties: mapValues(properties as Json, withoutVersion3) }),
    ...(values !== undefined && { enum: values }),
  };
}

const mapValues = (object: Json, change: (value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
