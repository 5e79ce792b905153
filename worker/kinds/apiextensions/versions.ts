/** What is wrong with the versions of a CustomResourceDefinition: their schemas, subresources, columns, selectable fields. */
import { byteLength } from "../../lib/bytes.ts";
import { dns1035LabelProblems } from "../../lib/names.ts";
import { duplicate, type FieldError, forbiddenField, invalidValue, required, tooMany } from "../../lib/status.ts";
import { fieldPath, type PathProblem } from "../custom/field-path.ts";
import { ruleProblems } from "../custom/rule-problems.ts";
import { defaultProblems, schemaProblems } from "../custom/schema-problems.ts";
import { objectSchema, structuralSchema } from "../custom/structural.ts";
import { structuralProblems } from "../custom/structural-problems.ts";
import type { Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";

type Spec = Schemas["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"]["spec"];
type Version = Spec["versions"][number];
type Props = NonNullable<NonNullable<Version["schema"]>["openAPIV3Schema"]>;

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const MAX_SELECTABLE_FIELDS = 8;
const SELECTABLE_TYPES = ["string", "boolean", "integer"];
const MAX_WARNING_BYTES = 256;

export function* versionsProblems(spec: Spec): Iterable<FieldError> {
  const versions = spec.versions ?? [];
  if (versions.some(({ schema }) => !schema?.openAPIV3Schema))
    for (const [index, { schema }] of versions.entries())
      if (!schema?.openAPIV3Schema) yield required(`spec.versions[${index}].schema.openAPIV3Schema`);
  const names = new Set(versions.map(({ name }) => name));
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const problems = dns1035LabelProblems(version.name);
    if (problems.length) yield invalidValue(`${path}.name`, version.name, problems.join(","));
    yield* warningProblems(version, `${path}.deprecationWarning`);
    for (const part of PARTS) if (!isShared(versions, part)) yield* part.problems(version, path);
  }
  if (names.size !== versions.length)
    yield invalidValue("spec.versions", goVersions(versions), "must contain unique version names");
  if (versions.filter(({ storage }) => storage).length !== 1)
    yield invalidValue(
      "spec.versions",
      goVersions(versions),
      "must have exactly one version marked as storage version",
    );
  const [first] = versions;
  if (!first) return;
  const wrong = dns1035LabelProblems(first.name);
  if (wrong.length) yield invalidValue("spec.version", first.name, wrong.join(","));
  for (const part of PARTS) if (isShared(versions, part)) yield* part.problems(first, "spec");
}

/** A part of a version. One that all versions share is told where kube-apiserver keeps it then: in the spec itself. */
type Part = { of(version: Version): unknown; problems(version: Version, path: string): Iterable<FieldError> };

const isShared = (versions: readonly Version[], { of }: Part): boolean =>
  versions.every((version) => same(of(version), of(versions[0] as Version)));

const PARTS: readonly Part[] = [
  {
    of: ({ schema }) => schema,
    problems: (version, path) => validationProblems(version, `${path}.${path === "spec" ? "validation" : "schema"}`),
  },
  { of: ({ subresources }) => subresources, problems: scaleProblems },
  { of: ({ additionalPrinterColumns }) => additionalPrinterColumns, problems: columnProblems },
  { of: ({ selectableFields }) => selectableFields, problems: selectableProblems },
];

/** As kube-apiserver shows them, without what they share. */
function goVersions(versions: readonly Version[]): object[] {
  const own = <T>(part: Part | undefined, value: T) => (part && isShared(versions, part) ? null : (value ?? null));
  return versions.map((version) => ({
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: own(
      PARTS[0],
      version.schema?.openAPIV3Schema && { OpenAPIV3Schema: goSchema(version.schema.openAPIV3Schema) },
    ),
    Subresources: own(PARTS[1], version.subresources),
    AdditionalPrinterColumns: own(PARTS[2], version.additionalPrinterColumns),
    SelectableFields: own(PARTS[3], version.selectableFields),
  }));
}

function* warningProblems({ deprecated, deprecationWarning: text }: Version, at: string): Iterable<FieldError> {
  if (text === undefined) return;
  const wrong = (why: string) => invalidValue(at, text, why);
  if (!deprecated) {
    yield wrong("can only be set for deprecated versions");
    return;
  }
  if (byteLength(text) > MAX_WARNING_BYTES) yield wrong("must be <= 256 characters long");
  if (text === "") yield wrong("must not be an empty string");
  const unprintable = /[^\P{C}]|[^\S ]/u.exec(text);
  if (unprintable) {
    const index = byteLength(text.slice(0, unprintable.index));
    yield wrong(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`);
  }
}

function* validationProblems({ schema, subresources }: Version, path: string): Iterable<FieldError> {
  const props = schema?.openAPIV3Schema;
  if (!props) return;
  const at = `${path}.openAPIV3Schema`;
  if (subresources?.status) yield* rootProblems(props, at);
  if (props.nullable) yield forbiddenField(`${at}.nullable`, "nullable cannot be true at the root");
  // What cannot be told by its structure at all is told only by what is not supported.
  const isReadable = !usesUnsupported(props);
  const structural = isReadable ? [...structuralProblems(props, at)] : [];
  const defaults = isReadable && structural.length === 0 ? [...defaultProblems(props, at)] : [];
  yield* structural;
  yield* defaults;
  const problems = [...schemaProblems(props, at)];
  yield* problems;
  if (isReadable && structural.length === 0 && defaults.length === 0 && problems.length === 0)
    yield* ruleProblems(objectSchema(props), props, at);
}

/** With a status endpoint, only these say anything of the whole object. */
const AT_ROOT = new Set([
  ..."description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength".split(" "),
  ..."pattern maxItems minItems uniqueItems multipleOf required items properties externalDocs example".split(" "),
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
]);
const AT_ROOT_NAMES =
  "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";

function* rootProblems(props: Props, at: string): Iterable<FieldError> {
  if (props.type !== undefined && props.type !== "object") {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    yield invalidValue(`${at}.type`, props.type, why);
  } else if (Object.entries(props).some(([name, value]) => isGiven(value) && !AT_ROOT.has(name)))
    yield invalidValue(
      at,
      goSchema(props),
      `only ${AT_ROOT_NAMES} fields are allowed at the root of the schema if the status subresource is enabled`,
    );
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== false && value !== "" && value !== 0;

/** As kube-apiserver shows a schema: by the names of its own fields, all of them. */
function goSchema(props: Props): Record<string, unknown> {
  const schemas = (list: readonly Props[] | undefined) => list?.map(goSchema) ?? null;
  const named = (map: Readonly<Record<string, Props>> | undefined) =>
    map ? Object.fromEntries(Object.entries(map).map(([name, value]) => [name, goSchema(value)])) : null;
  const { items, additionalProperties: values } = props;
  const isSchema = (value: unknown): value is Props => typeof value === "object" && value !== null;
  return {
    ID: props.id ?? "",
    Schema: props.$schema ?? "",
    Ref: props.$ref ?? null,
    Description: props.description ?? "",
    Type: props.type ?? "",
    Nullable: props.nullable ?? false,
    Format: props.format ?? "",
    Title: props.title ?? "",
    Default: props.default ?? null,
    Maximum: props.maximum ?? null,
    ExclusiveMaximum: props.exclusiveMaximum ?? false,
    Minimum: props.minimum ?? null,
    ExclusiveMinimum: props.exclusiveMinimum ?? false,
    MaxLength: props.maxLength ?? null,
    MinLength: props.minLength ?? null,
    Pattern: props.pattern ?? "",
    MaxItems: props.maxItems ?? null,
    MinItems: props.minItems ?? null,
    UniqueItems: props.uniqueItems ?? false,
    MultipleOf: props.multipleOf ?? null,
    Enum: props.enum ?? null,
    MaxProperties: props.maxProperties ?? null,
    MinProperties: props.minProperties ?? null,
    Required: props.required ?? null,
    Items: isSchema(items) ? { Schema: goSchema(items), JSONSchemas: null } : null,
    AllOf: schemas(props.allOf),
    OneOf: schemas(props.oneOf),
    AnyOf: schemas(props.anyOf),
    Not: props.not ? goSchema(props.not) : null,
    Properties: named(props.properties),
    AdditionalProperties:
      values === undefined ? null : { Allows: values !== false, Schema: isSchema(values) ? goSchema(values) : null },
    PatternProperties: null,
    Dependencies: null,
    AdditionalItems: null,
    Definitions: null,
    ExternalDocs: null,
    Example: props.example ?? null,
    XPreserveUnknownFields: props["x-kubernetes-preserve-unknown-fields"] ?? null,
    XEmbeddedResource: props["x-kubernetes-embedded-resource"] ?? false,
    XIntOrString: props["x-kubernetes-int-or-string"] ?? false,
    XListMapKeys: props["x-kubernetes-list-map-keys"] ?? null,
    XListType: props["x-kubernetes-list-type"] ?? null,
    XMapType: props["x-kubernetes-map-type"] ?? null,
    XValidations: props["x-kubernetes-validations"] ?? null,
  };
}

const UNSUPPORTED = ["id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"];

function usesUnsupported(props: Props): boolean {
  const values: Readonly<Record<string, unknown>> = props as Record<string, unknown>;
  if (UNSUPPORTED.some((name) => values[name] !== undefined && values[name] !== "")) return true;
  if (props["x-kubernetes-preserve-unknown-fields"] === false || Array.isArray(props.items)) return true;
  const within: unknown[] = [
    ...Object.values(props.properties ?? {}),
    props.additionalProperties,
    props.items,
    ...(props.allOf ?? []),
    ...(props.anyOf ?? []),
    ...(props.oneOf ?? []),
    props.not,
  ];
  return within.some((child) => typeof child === "object" && child !== null && usesUnsupported(child as Props));
}

function* columnProblems({ additionalPrinterColumns = [] }: Version, path: string): Iterable<FieldError> {
  for (const [index, { name, type, format = "", jsonPath }] of additionalPrinterColumns.entries()) {
    const at = `${path}.additionalPrinterColumns[${index}]`;
    const oneOf = `must be one of ${COLUMN_TYPES.join(",")}`;
    if (!name) yield required(`${at}.name`);
    if (!type) yield required(`${at}.type`, oneOf);
    else if (!COLUMN_TYPES.includes(type)) yield invalidValue(`${at}.type`, type, oneOf);
    if (format && !COLUMN_FORMATS.includes(format))
      yield invalidValue(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(",")}`);
    if (!jsonPath) yield required(`${at}.JSONPath`);
    else yield* pathProblems(jsonPath, `${at}.JSONPath`);
  }
}

function* pathProblems(jsonPath: string, at: string): Iterable<FieldError> {
  if (!jsonPath.startsWith(".")) yield invalidValue(at, jsonPath, "must be a simple json path starting with .");
}

function* scaleProblems({ subresources }: Version, path: string): Iterable<FieldError> {
  const scale = subresources?.scale;
  if (!scale) return;
  const at = `${path}.subresources.scale`;
  const under = (field: string, value: string, ...roots: string[]): FieldError[] => {
    const wrong = [...pathProblems(value, `${at}.${field}`)];
    if (wrong.length || roots.some((root) => value.startsWith(`${root}.`))) return wrong;
    const where = roots.length > 1 ? `either ${roots.join(" or ")}` : roots[0];
    return [invalidValue(`${at}.${field}`, value, `should be a json path under ${where}`)];
  };
  if (!scale.specReplicasPath) yield required(`${at}.specReplicasPath`);
  else yield* under("specReplicasPath", scale.specReplicasPath, ".spec");
  if (!scale.statusReplicasPath) yield required(`${at}.statusReplicasPath`);
  else yield* under("statusReplicasPath", scale.statusReplicasPath, ".status");
  if (scale.labelSelectorPath) yield* under("labelSelectorPath", scale.labelSelectorPath, ".spec", ".status");
}

function* selectableProblems({ selectableFields = [], schema }: Version, path: string): Iterable<FieldError> {
  const root = structuralSchema(schema?.openAPIV3Schema ?? {});
  const seen = new Set<string>();
  for (const [index, { jsonPath }] of selectableFields.entries()) {
    const at = `${path}.selectableFields[${index}].jsonPath`;
    if (!jsonPath) {
      yield required(at);
      continue;
    }
    const found = fieldPath(jsonPath, root, { allowsBrackets: false });
    if (isPathProblem(found)) {
      yield invalidValue(at, jsonPath, `is an invalid path: ${found.problem}`);
      continue;
    }
    if (found.path.split(".")[0] === "metadata")
      yield invalidValue(at, jsonPath, "must not point to fields in metadata");
    if (!SELECTABLE_TYPES.includes(found.schema.type))
      yield invalidValue(
        at,
        jsonPath,
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
      );
    if (seen.has(found.path)) yield duplicate(at, jsonPath);
    seen.add(found.path);
  }
  if (seen.size > MAX_SELECTABLE_FIELDS) yield tooMany(`${path}.selectableFields`, seen.size, MAX_SELECTABLE_FIELDS);
}

const isPathProblem = (found: object): found is PathProblem => "problem" in found;
