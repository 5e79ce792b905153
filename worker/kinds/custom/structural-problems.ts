import { type FieldError, forbiddenField, invalidValue, required } from "../../lib/status.ts";
import type { ApiextensionsV1JSONSchemaProps as Props } from "../generated/types.ts";
import { same } from "../paths.ts";
import { patternProblem } from "../validate.ts";

/** Where a schema stands within its parent; says what a missing type is called. */
type Place = "root" | "field" | "item";

const missingType: Readonly<Record<Place, string>> = {
  root: "must not be empty at the root",
  field: "must not be empty for specified object fields",
  item: "must not be empty for specified array items",
};

export const isProps = (value: unknown): value is Props =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * What keeps a JSON schema from being structural, in the words of kube-apiserver. `path` is the schema's own.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function* structuralProblems(root: Props, path: string): Iterable<FieldError> {
  yield* problemsWithin(root, path, "root");
  yield* completenessProblems(root, root, path);
}

function* problemsWithin(props: Props, path: string, place: Place): Iterable<FieldError> {
  const { type = "", items, properties = {}, additionalProperties: values } = props;
  if (type === "array" && !isProps(items)) yield required(`${path}.items`, "must be specified");
  if (isProps(items)) yield* problemsWithin(items, `${path}.items`, "item");
  for (const [name, field] of Object.entries(properties))
    yield* problemsWithin(field, `${path}.properties[${name}]`, "field");
  if (values !== undefined && place === "root")
    yield forbiddenField(`${path}.additionalProperties`, "must not be used at the root");
  if (isProps(values)) yield* problemsWithin(values, `${path}.additionalProperties`, "field");
  yield* extensionProblems(props, path);
  yield* alternativeProblems(props, path, isIntOrString(props.anyOf), isIntOrString(props.allOf?.[0]?.anyOf));
  yield* typeProblems(props, path, place);
  yield* resourceProblems(props, path, place);
}

function* extensionProblems(props: Props, path: string): Iterable<FieldError> {
  if (!props["x-kubernetes-int-or-string"]) return;
  for (const name of ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const)
    if (props[name]) yield invalidValue(`${path}.${name}`, true, "must be false if x-kubernetes-int-or-string is true");
}

function* typeProblems(props: Props, path: string, place: Place): Iterable<FieldError> {
  const { type = "" } = props;
  const at = `${path}.type`;
  if (props["x-kubernetes-embedded-resource"] && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    yield type ? invalidValue(at, type, why) : required(at, why);
  } else if (!type && !props["x-kubernetes-int-or-string"] && !props["x-kubernetes-preserve-unknown-fields"])
    yield required(at, missingType[place]);
  if (place === "root" && type !== "" && type !== "object") yield invalidValue(at, type, "must be object at the root");
}

/** What every object has cannot be declared otherwise. */
function* resourceProblems(props: Props, path: string, place: Place): Iterable<FieldError> {
  const isEmbedded = props["x-kubernetes-embedded-resource"] ?? false;
  const isResource = place === "root" || isEmbedded;
  const { kind, apiVersion, metadata } = props.properties ?? {};
  if (isEmbedded && props.additionalProperties !== undefined)
    yield forbiddenField(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set");
  for (const [name, field] of Object.entries({ kind, apiVersion }))
    if (field && isResource && field.type !== "string")
      yield invalidValue(`${path}.properties[${name}].type`, field.type ?? "", "must be string");
  if (metadata && isResource) {
    const at = `${path}.properties[metadata]`;
    if (metadata.type !== "object") yield invalidValue(`${at}.type`, metadata.type ?? "", "must be object");
    if (place === "root" && saysMore(metadata))
      yield forbiddenField(
        at,
        "must not specify anything other than name and generateName, but metadata is implicitly specified",
      );
  }
  if (isEmbedded && !props["x-kubernetes-preserve-unknown-fields"] && !Object.keys(props.properties ?? {}).length)
    yield required(
      `${path}.properties`,
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
    );
}

const NAMES = new Set(["name", "generateName"]);

function saysMore({ type: _type, default: _default, properties = {}, ...rest }: Props): boolean {
  return Object.keys(rest).length > 0 || Object.keys(properties).some((name) => !NAMES.has(name));
}

/** `[{type: integer}, {type: string}]`, the one form in which alternatives may name types. */
const isIntOrString = (alternatives: readonly Props[] | undefined): boolean =>
  same(alternatives, [{ type: "integer" }, { type: "string" }]);

function* alternativeProblems(
  props: Props,
  path: string,
  skipsAny = false,
  skipsFirstAll = false,
): Iterable<FieldError> {
  if (!skipsAny)
    for (const [index, alternative] of (props.anyOf ?? []).entries())
      yield* nestedProblems(alternative, `${path}.anyOf[${index}]`);
  for (const [index, alternative] of (props.allOf ?? []).entries())
    yield* nestedProblems(alternative, `${path}.allOf[${index}]`, skipsFirstAll && index === 0);
  for (const [index, alternative] of (props.oneOf ?? []).entries())
    yield* nestedProblems(alternative, `${path}.oneOf[${index}]`);
  if (props.not) yield* nestedProblems(props.not, `${path}.not`);
  const wrong = props.pattern ? patternProblem(props.pattern) : undefined;
  if (wrong !== undefined)
    yield invalidValue(`${path}.pattern`, props.pattern, `must be a valid regular expression, but isn't: ${wrong}`);
}

/** What alternatives must not say, as they only narrow values: structure and defaults stand outside. */
const NOT_NESTED = [
  ["type", "empty"],
  ["additionalProperties", "undefined"],
  ["default", "undefined"],
  ["title", "empty"],
  ["description", "empty"],
  ["nullable", "false"],
  ["x-kubernetes-preserve-unknown-fields", "false"],
  ["x-kubernetes-embedded-resource", "false"],
  ["x-kubernetes-int-or-string", "false"],
  ["x-kubernetes-list-map-keys", "empty"],
  ["x-kubernetes-list-type", "undefined"],
  ["x-kubernetes-map-type", "undefined"],
  ["x-kubernetes-validations", "empty"],
] as const;

function* nestedProblems(props: Props, path: string, skipsAny = false): Iterable<FieldError> {
  yield* alternativeProblems(props, path, skipsAny);
  if (isProps(props.items)) yield* nestedProblems(props.items, `${path}.items`);
  for (const [name, field] of Object.entries(props.properties ?? {}))
    yield* nestedProblems(field, `${path}.properties[${name}]`);
  for (const [name, wanted] of NOT_NESTED) {
    const value = props[name];
    const isSet = wanted === "undefined" ? value !== undefined && value !== null : isNonEmpty(value);
    if (isSet) yield forbiddenField(`${path}.${name}`, `must be ${wanted} to be structural`);
  }
  if (props.properties?.metadata)
    yield forbiddenField(`${path}.properties[metadata]`, "must not be specified in a nested context");
}

const isNonEmpty = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));

/** Alternatives can only speak of items that the structure has. `path` is the alternatives' own. */
function* completenessProblems(props: Props, structure: Props | undefined, path: string): Iterable<FieldError> {
  const { items, properties = {}, additionalProperties: values } = props;
  for (const [name, at] of alternativesOf(props)) yield* nestedCompleteness(at, structure, `${path}.${name}`);
  if (isProps(items)) yield* completenessProblems(items, items, `${path}.items`);
  for (const [name, field] of Object.entries(properties))
    yield* completenessProblems(field, field, `${path}.properties[${name}]`);
  if (isProps(values)) yield* completenessProblems(values, values, `${path}.additionalProperties`);
}

function* alternativesOf(props: Props): Iterable<[string, Props]> {
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const)
    for (const [index, alternative] of (props[junctor] ?? []).entries()) yield [`${junctor}[${index}]`, alternative];
  if (props.not) yield ["not", props.not];
}

function* nestedCompleteness(props: Props, structure: Props | undefined, path: string): Iterable<FieldError> {
  for (const [name, at] of alternativesOf(props)) yield* nestedCompleteness(at, structure, `${path}.${name}`);
  if (isProps(props.items)) {
    const within = isProps(structure?.items) ? structure.items : undefined;
    if (!within) yield required(structurePath(`${path}.items`), `because it is defined in ${path}.items`);
    else yield* nestedCompleteness(props.items, within, `${path}.items`);
  }
  for (const [name, field] of Object.entries(props.properties ?? {}))
    yield* nestedCompleteness(field, structure?.properties?.[name], `${path}.properties[${name}]`);
}

/** The place in the structure that a place within alternatives speaks of. */
const structurePath = (path: string): string => path.replace(/\.(?:(?:allOf|anyOf|oneOf)\[\d+\]|not)(?=\.|$)/g, "");
