/** What is wrong with a JSON schema of a CustomResourceDefinition beside its structure. */
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { decode } from "../decode.ts";
import { applyDefaults } from "../defaults.ts";
import type { ApiextensionsV1JSONSchemaProps as Props } from "../generated/types.ts";
import { same } from "../paths.ts";
import { validateSchema } from "../validate.ts";
import { writtenProblems } from "./rule-problems.ts";
import { brokenRules } from "./rules.ts";
import { structuralSchema } from "./structural.ts";
import { isProps } from "./structural-problems.ts";

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const LIST_TYPES = ["atomic", "set", "map"];
const MAP_TYPES = ["atomic", "granular"];

/** Where a schema stands: in metadata a resource has no defaults, and no resource of its own. */
type Place = { isRoot?: boolean; isInsideMeta?: boolean; noDefaults?: string };

export function* schemaProblems(props: Props, path: string, place: Place = { isRoot: true }): Iterable<FieldError> {
  yield* supportProblems(props, path, place);
  if (props.uniqueItems)
    yield forbiddenField(
      `${path}.uniqueItems`,
      "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    );
  yield* childProblems(props, path, place);
  if (props["x-kubernetes-preserve-unknown-fields"] === false)
    yield invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined");
  yield* mapTypeProblems(props, path);
  yield* listTypeProblems(props, path);
  yield* listKeyProblems(props, path);
  for (const [index, rule] of (props["x-kubernetes-validations"] ?? []).entries())
    yield* writtenProblems(rule, `${path}.x-kubernetes-validations[${index}]`, structuralSchema(props));
}

function* supportProblems(props: Props, path: string, { noDefaults, isInsideMeta }: Place): Iterable<FieldError> {
  const { type = "" } = props;
  if (type && !TYPES.includes(type)) yield notSupported(`${path}.type`, type, TYPES);
  if (props.default !== undefined && noDefaults !== undefined)
    yield forbiddenField(`${path}.default`, `must not be set ${noDefaults}`);
  for (const name of ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const)
    if (props[name] !== undefined && props[name] !== "")
      yield forbiddenField(`${path}.${name}`, `${name} is not supported`);
  if (type === "null")
    yield forbiddenField(`${path}.type`, "type cannot be set to null, use nullable as an alternative");
  if (Array.isArray(props.items))
    yield forbiddenField(`${path}.items`, "items must be a schema object and not an array");
  if (isInsideMeta && props["x-kubernetes-embedded-resource"])
    yield forbiddenField(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta");
}

const META = ["metadata", "kind", "apiVersion"];

function* childProblems(props: Props, path: string, place: Place): Iterable<FieldError> {
  const { properties = {}, additionalProperties: values, items } = props;
  const isResource = place.isRoot || props["x-kubernetes-embedded-resource"];
  const { isRoot: _, ...inherited } = place;
  if (values !== undefined && Object.keys(properties).length && (isProps(values) || values === false))
    yield forbiddenField(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive");
  if (isProps(values))
    yield* schemaProblems(values, `${path}.additionalProperties`, {
      ...inherited,
      ...(place.isInsideMeta && { noDefaults: "inside additionalProperties applying to object metadata" }),
    });
  for (const [name, field] of Object.entries(properties)) {
    const isMeta = isResource && META.includes(name);
    yield* schemaProblems(field, `${path}.properties[${name}]`, {
      ...inherited,
      ...(isMeta && { isInsideMeta: true }),
      ...(isMeta && place.isRoot && { noDefaults: `in top-level ${name}` }),
    });
  }
  if (props.not) yield* schemaProblems(props.not, `${path}.not`, inherited);
  for (const junctor of ["allOf", "oneOf", "anyOf"] as const)
    for (const [index, alternative] of (props[junctor] ?? []).entries())
      yield* schemaProblems(alternative, `${path}.${junctor}[${index}]`, inherited);
  if (isProps(items)) yield* schemaProblems(items, `${path}.items`, inherited);
}

/** A type that an extension asks for. */
function* neededType(props: Props, path: string, wanted: string, extension: string): Iterable<FieldError> {
  const why = `must be ${wanted} if ${extension} is specified`;
  if (props.type === wanted) return;
  yield props.type ? invalidValue(`${path}.type`, props.type, why) : required(`${path}.type`, why);
}

function* mapTypeProblems(props: Props, path: string): Iterable<FieldError> {
  const mapType = props["x-kubernetes-map-type"];
  if (mapType === undefined) return;
  yield* neededType(props, path, "object", "x-kubernetes-map-type");
  if (!MAP_TYPES.includes(mapType)) yield notSupported(`${path}.x-kubernetes-map-type`, mapType, MAP_TYPES);
}

function* listTypeProblems(props: Props, path: string): Iterable<FieldError> {
  const listType = props["x-kubernetes-list-type"];
  if (listType === undefined) return;
  yield* neededType(props, path, "array", "x-kubernetes-list-type");
  const items = isProps(props.items) ? props.items : undefined;
  if (props.type === "array" && listType === "set" && items) yield* setItemProblems(items, `${path}.items`);
  if (!LIST_TYPES.includes(listType)) yield notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES);
  if (items?.nullable && (listType === "set" || listType === "map"))
    yield forbiddenField(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`);
}

function* setItemProblems(items: Props, path: string): Iterable<FieldError> {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic")
    yield invalidValue(`${path}.x-kubernetes-list-type`, listType, why);
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    yield invalidValue(`${path}.x-kubernetes-map-type`, listType ?? null, why);
}

function* listKeyProblems(props: Props, path: string): Iterable<FieldError> {
  const listType = props["x-kubernetes-list-type"];
  const keys = props["x-kubernetes-list-map-keys"] ?? [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const of = `${path}.x-kubernetes-list-type`;
    yield listType === undefined ? required(of, why) : invalidValue(of, listType, why);
  }
  if (listType !== "map") return;
  if (!keys.length) yield required(at, "must not be empty if x-kubernetes-list-type is map");
  const { items } = props;
  if (items === undefined) yield required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map");
  if (!isProps(items)) return;
  if (items.type === "object") yield* keyProblems(items, keys, path);
  else
    yield invalidValue(
      `${path}.items.type`,
      items.type ?? "",
      "must be object if parent array's x-kubernetes-list-type is map",
    );
  yield* keyPresenceProblems(items, keys, `${path}.items`);
}

function* keyProblems(items: Props, keys: readonly string[], path: string): Iterable<FieldError> {
  const at = `${path}.x-kubernetes-list-map-keys`;
  const seen = new Set<string>();
  for (const key of keys) {
    const field = items.properties?.[key];
    if (!field) yield invalidValue(at, keys, "entries must all be names of item properties");
    else if (field.type === "array" || field.type === "object")
      yield invalidValue(
        `${path}.items.properties[${key}].type`,
        items.type,
        "must be a scalar type if parent array's x-kubernetes-list-type is map",
      );
    if (seen.has(key)) yield invalidValue(at, keys, "must not contain duplicate entries");
    seen.add(key);
  }
}

function* keyPresenceProblems(items: Props, keys: readonly string[], path: string): Iterable<FieldError> {
  for (const key of keys) {
    const field = items.properties?.[key];
    if (!field) continue;
    const at = `${path}.properties[${key}]`;
    if (!items.required?.includes(key) && field.default === undefined)
      yield required(
        `${at}.default`,
        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
      );
    if (field.nullable)
      yield forbiddenField(
        `${at}.nullable`,
        "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
      );
  }
}

/** Defaults of a structural schema must be valid themselves. */
export function* defaultProblems(props: Props, path: string): Iterable<FieldError> {
  if (props.default !== undefined && props.default !== null) yield* oneDefaultProblems(props, `${path}.default`);
  if (isProps(props.items)) yield* defaultProblems(props.items, `${path}.items`);
  for (const [name, field] of Object.entries(props.properties ?? {}))
    yield* defaultProblems(field, `${path}.properties[${name}]`);
}

function* oneDefaultProblems(props: Props, path: string): Iterable<FieldError> {
  const schema = structuralSchema(props);
  const pruned = structuredClone({ default: props.default });
  decode({ type: "object", fields: { default: schema } }, pruned, "Ignore");
  if (!same(pruned.default, props.default)) yield invalidValue(path, props.default, "must not have unknown fields");
  const value = structuredClone(props.default);
  applyDefaults(schema, value);
  // Its own path is not part of what is said of a value.
  const problems = [...validateSchema(schema, value)].map((problem) => ({
    ...problem,
    field: !problem.field || problem.field === "<nil>" ? path : `${path}.${problem.field}`,
  }));
  yield* problems;
  if (problems.length) return;
  for (const problem of brokenRules(schema, value, undefined, false).errors)
    yield { ...problem, field: problem.field === "<nil>" ? path : `${path}.${problem.field}` };
}
