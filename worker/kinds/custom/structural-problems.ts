import { type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { applyDefaults } from "../defaults.ts";
import type { ApiextensionsV1JSONSchemaProps as Props } from "../generated/types.ts";
import { same } from "../paths.ts";
import { validateSchema } from "../validate.ts";
import { writtenProblems } from "./rule-problems.ts";
import { structuralSchema } from "./structural.ts";

const TYPES = ["string", "number", "integer", "boolean", "object", "array"];
const LIST_TYPES = ["atomic", "set", "map"];
const MAP_TYPES = ["atomic", "granular"];
const SCALARS = ["string", "number", "integer", "boolean"];

/** Where a schema stands within its parent; says what a missing type is called. */
type Place = "root" | "field" | "item";

const missingType: Readonly<Record<Place, string>> = {
  root: "must not be empty at the root",
  field: "must not be empty for specified object fields",
  item: "must not be empty for specified array items",
};

/**
 * What keeps a JSON schema from being structural, in the words of kube-apiserver. `path` is the schema's own.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function* structuralProblems(props: Props, path: string, place: Place = "root"): Iterable<FieldError> {
  yield* typeProblems(props, path, place);
  yield* forbiddenProblems(props, path);
  yield* listProblems(props, path);
  yield* defaultProblems(props, path);
  for (const [index, rule] of (props["x-kubernetes-validations"] ?? []).entries())
    yield* writtenProblems(rule, `${path}.x-kubernetes-validations[${index}]`, structuralSchema(props));
  for (const [name, field] of Object.entries(props.properties ?? {}))
    if (place !== "root" || !["apiVersion", "kind", "metadata"].includes(name))
      yield* structuralProblems(field, `${path}.properties[${name}]`, "field");
  if (isProps(props.additionalProperties))
    yield* structuralProblems(props.additionalProperties, `${path}.additionalProperties`, "field");
  if (isProps(props.items)) yield* structuralProblems(props.items, `${path}.items`, "item");
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const)
    for (const [index, alternative] of (props[junctor] ?? []).entries())
      yield* valueProblems(alternative, `${path}.${junctor}[${index}]`);
  if (props.not) yield* valueProblems(props.not, `${path}.not`);
}

const isProps = (value: unknown): value is Props =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function* typeProblems(props: Props, path: string, place: Place): Iterable<FieldError> {
  const { type = "" } = props;
  const free = props["x-kubernetes-int-or-string"] || props["x-kubernetes-preserve-unknown-fields"];
  if (type === "" && (!free || place === "root")) yield required(`${path}.type`, missingType[place]);
  else if (type !== "" && !TYPES.includes(type)) yield notSupported(`${path}.type`, type, TYPES.toSorted());
  if (place === "root" && type !== "" && type !== "object")
    yield invalidValue(`${path}.type`, type, "must be object at the root");
  if (props["x-kubernetes-int-or-string"] && type !== "")
    yield invalidValue(`${path}.type`, type, "must be empty if x-kubernetes-int-or-string is true");
  if (props["x-kubernetes-embedded-resource"]) {
    if (type !== "object")
      yield invalidValue(`${path}.type`, type, "must be object if x-kubernetes-embedded-resource is true");
    if (!props.properties && !props["x-kubernetes-preserve-unknown-fields"])
      yield required(
        `${path}.properties`,
        "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
      );
  }
  if (type === "array" && !isProps(props.items)) yield required(`${path}.items`, "must be specified");
}

function* forbiddenProblems(props: Props, path: string): Iterable<FieldError> {
  const unsupported = ["$ref", "$schema", "definitions", "dependencies", "patternProperties", "id"] as const;
  for (const name of unsupported)
    if (props[name] !== undefined) yield forbiddenField(`${path}.${name}`, `${name} is not supported`);
  if (props.additionalItems !== undefined)
    yield forbiddenField(`${path}.additionalItems`, "additionalItems is not supported");
  if (props.uniqueItems)
    yield forbiddenField(
      `${path}.uniqueItems`,
      "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    );
  if (props.properties && props.additionalProperties !== undefined)
    yield forbiddenField(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive");
  if (props.additionalProperties === false)
    yield forbiddenField(`${path}.additionalProperties`, "additionalProperties cannot be set to false");
}

function* listProblems(props: Props, path: string): Iterable<FieldError> {
  const listType = props["x-kubernetes-list-type"];
  const keys = props["x-kubernetes-list-map-keys"] ?? [];
  const mapType = props["x-kubernetes-map-type"];
  if (listType !== undefined) {
    if (!LIST_TYPES.includes(listType)) yield notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES);
    if (props.type !== "array")
      yield invalidValue(`${path}.type`, props.type ?? "", "must be array if x-kubernetes-list-type is specified");
  }
  const items = isProps(props.items) ? props.items : undefined;
  if (listType === "map") {
    if (!keys.length)
      yield required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map");
    if (items && items.type !== "object")
      yield invalidValue(
        `${path}.items.type`,
        items.type ?? "",
        "must be object if parent array's x-kubernetes-list-type is map",
      );
    for (const [index, key] of keys.entries()) yield* keyProblems(items, key, path, index);
  } else if (keys.length) {
    yield forbiddenField(`${path}.x-kubernetes-list-map-keys`, "must not be set if x-kubernetes-list-type is not map");
  }
  if (listType === "set" && items && !SCALARS.includes(items.type ?? "") && !isAtomic(items))
    yield invalidValue(
      `${path}.items.type`,
      items.type ?? "",
      "must be atomic as item of a list with x-kubernetes-list-type=set",
    );
  if (mapType !== undefined && !MAP_TYPES.includes(mapType))
    yield notSupported(`${path}.x-kubernetes-map-type`, mapType, MAP_TYPES);
}

const isAtomic = (props: Props) =>
  props["x-kubernetes-map-type"] === "atomic" ||
  (props.type === "array" && (props["x-kubernetes-list-type"] ?? "atomic") === "atomic");

function* keyProblems(items: Props | undefined, key: string, path: string, index: number): Iterable<FieldError> {
  const field = items?.properties?.[key];
  if (!field) {
    yield invalidValue(
      `${path}.x-kubernetes-list-map-keys[${index}]`,
      key,
      "entries must all be names of item properties",
    );
    return;
  }
  const within = `${path}.items.properties[${key}]`;
  if (!SCALARS.includes(field.type ?? ""))
    yield invalidValue(
      `${within}.type`,
      field.type ?? "",
      "must be a scalar type if parent array's x-kubernetes-list-type is map",
    );
  if (field.nullable)
    yield forbiddenField(
      `${within}.nullable`,
      "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
    );
  if (!items?.required?.includes(key) && field.default === undefined)
    yield required(
      `${within}.default`,
      "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
    );
}

/** A default must itself be valid once its own defaults are in. */
function* defaultProblems(props: Props, path: string): Iterable<FieldError> {
  if (props.default === undefined || (props.default === null && props.nullable)) return;
  const schema = structuralSchema(props);
  const value = structuredClone(props.default);
  applyDefaults(schema, value);
  yield* validateSchema(schema, value, `${path}.default`);
}

/** Alternatives may only narrow values: structure and defaults stand outside. */
function* valueProblems(props: Props, path: string): Iterable<FieldError> {
  const forbid = (name: string) => forbiddenField(`${path}.${name}`, "must be empty to be structural");
  if (props.type !== undefined && !isIntOrString(props)) yield forbid("type");
  if (props.additionalProperties !== undefined) yield forbid("additionalProperties");
  if (props.default !== undefined) yield forbid("default");
  if (props.nullable) yield forbiddenField(`${path}.nullable`, "must be false to be structural");
  if (props.description) yield forbid("description");
  for (const name of Object.keys(props))
    if (name.startsWith("x-kubernetes-") && name !== "x-kubernetes-validations")
      yield forbiddenField(`${path}.${name}`, "must be empty to be structural");
  for (const [name, field] of Object.entries(props.properties ?? {}))
    yield* valueProblems(field, `${path}.properties[${name}]`);
  if (isProps(props.items)) yield* valueProblems(props.items, `${path}.items`);
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const)
    for (const [index, alternative] of (props[junctor] ?? []).entries())
      yield* valueProblems(alternative, `${path}.${junctor}[${index}]`);
  if (props.not) yield* valueProblems(props.not, `${path}.not`);
}

/** `anyOf: [{type: integer}, {type: string}]`, the one form in which alternatives may name types. */
const isIntOrString = (props: Props) => same(props, { type: "integer" }) || same(props, { type: "string" });
