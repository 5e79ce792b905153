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
    description: `${kind.listKind} is a list of ${kind.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      ...typed(),
      metadata: withDescription(
        version,
        refMeta("ListMeta"),
        descriptionOf("io.k8s.api.core.v1.ConfigMapList", "metadata"),
      ),
      items: { description: `List of ${kind.resource}.`, type: "array", items: refTo(version, name) },
    },
    "x-kubernetes-group-version-kind": [gvk(kind.group, kind.version, kind.listKind)],
  });
}

function describe(version: OpenApiVersion, schema: Schema, reach: Reach): Json {
  const value = schema.default ?? (VALUES.has(schema.format ?? "") ? undefined : schema.zero) ?? undefined;
  const enums = enumIn(schema.description);
  const facts = without({
    description: schema.description,
    default: version === "3" ? value : undefined,
    enum: schema.type === "string" ? enums : undefined,
    "x-kubernetes-list-type": schema.listType,
    "x-kubernetes-map-type": schema.atomic === false ? "granular" : undefined,
    "x-kubernetes-list-map-keys": schema.listKeys,
    "x-kubernetes-patch-strategy": schema.patchStrategy,
    "x-kubernetes-patch-merge-key": schema.patchMergeKey,
  });
  if (!schema.name) return { ...describeStructure(version, schema, reach, enums), ...facts };
  reach(schema.name);
  const ref = refTo(version, schema.name);
  return version === "3" && Object.keys(facts).length ? { allOf: [ref], ...facts } : { ...ref, ...facts };
}

/** Fields that are said to have a default, though it is what they are without one. */
const EMPTY_BY_DEFAULT =
  /\.core\.v1\.((ConfigMap|Secret)(EnvSource|KeySelector|Projection)|ConfigMapVolumeSource|LocalObjectReference)\.name$|\.(ScaleSpec\.replicas|ReplicationControllerSpec\.minReadySeconds)$/;

/** A field with what is said of it, where something is. */
function described({ name: definition }: Schema, name: string, field: Schema): Schema {
  const description = descriptionOf(definition, name);
  const empty = EMPTY_BY_DEFAULT.test(`${definition}.${name}`) ? EMPTY[field.type] : undefined;
  // A schema's own fields may be made late, so it is not copied as a whole.
  const more = { ...(description !== undefined && { description }), ...(empty !== undefined && { default: empty }) };
  return Object.keys(more).length ? Object.assign(Object.create(field) as Schema, more) : field;
}

const eitherOf = (...types: string[]) => ({ oneOf: types.map((type) => ({ type })) });

/** The values that a description lists at its end, as those of every enumeration do. */
function enumIn(description = ""): string[] | undefined {
  const [, list] = description.split(/\n+Possible enum values:\n/);
  return list === undefined ? undefined : [...list.matchAll(/^ - `"(.*?)"`/gm)].map(([, value = ""]) => value);
}

/** Go writes lists and maps of values with what a value is when nothing is said of it. */
const EMPTY: Partial<Record<Schema["type"], unknown>> = {
  string: "",
  integer: 0,
  number: 0,
  boolean: false,
  object: {},
};

/** What Go writes in a way of its own has no such value. */
const VALUES = new Set(["byte", "quantity", "int-or-string", "date-time", "micro-time"]);

/** Items of a list, or values of a map, of a built-in kind. */
function describeItems(version: OpenApiVersion, items: Schema, reach: Reach, enums: string[] | undefined): Json {
  const described = describe(version, items, reach);
  const values = enums && items.type === "string" ? { enum: enums } : {};
  const empty = version === "3" && !VALUES.has(items.format ?? "") ? EMPTY[items.type] : undefined;
  const { $ref, ...rest } = described;
  const isRef = $ref !== undefined && empty !== undefined;
  return {
    ...(isRef ? { allOf: [{ $ref }] } : described),
    ...rest,
    ...values,
    ...(empty !== undefined && { default: empty }),
  };
}

function describeStructure(version: OpenApiVersion, schema: Schema, reach: Reach, enums?: string[]): Json {
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
    items: type === "list" && items ? describeItems(version, items, reach, enums) : undefined,
    additionalProperties: type === "map" && items ? describeItems(version, items, reach, enums) : undefined,
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
  Object.fromEntries(
    Object.entries(facts).filter(([name, value]) => value !== undefined && (value !== "" || name === "default")),
  );

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
