import { dns1035LabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { JsonPathError, parseJsonPath } from "../custom/json-path.ts";
import { ruleProblems } from "../custom/rule-problems.ts";
import { objectSchema } from "../custom/structural.ts";
import { structuralProblems } from "../custom/structural-problems.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/ */
export type CustomResourceDefinition =
  Schemas["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"];

type Spec = CustomResourceDefinition["spec"];
type Version = Spec["versions"][number];

const SCOPES = ["Cluster", "Namespaced"];
const STRATEGIES = ["None", "Webhook"];
const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const MAX_SELECTABLE_FIELDS = 8;
const SELECTABLE_TYPES = ["string", "boolean", "integer"];

export const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True") ?? false;

/** None at all is refused, but only by validation. */
const versionsOf = (spec: Spec): readonly Version[] => spec.versions ?? [];

/** Versions that were ever written stay known until somebody has rewritten all objects. */
function noteStorageVersion(definition: CustomResourceDefinition): void {
  const storage = versionsOf(definition.spec).find((version) => version.storage)?.name;
  const stored = definition.status?.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage)) return;
  definition.status = { ...definition.status, storedVersions: [...stored, storage] };
}

export const CustomResourceDefinition = defineKind({
  schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  defaults: { "spec.conversion": { strategy: "None" }, "spec.conversion.webhook.clientConfig.service.port": 443 },
  default({ spec }) {
    const { names } = spec ?? {};
    if (!names?.kind) return;
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  },
  prepareForCreate: noteStorageVersion,
  prepareForUpdate(definition, _old, subresource) {
    if (subresource === "") noteStorageVersion(definition);
  },
  *validate(definition) {
    const { spec, metadata } = definition;
    const wanted = `${spec.names?.plural}.${spec.group}`;
    if (metadata.name !== wanted)
      yield invalidValue("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group');
    yield* groupProblems(spec);
    if (!SCOPES.includes(spec.scope))
      yield spec.scope ? notSupported("spec.scope", spec.scope, SCOPES) : required("spec.scope");
    yield* versionsProblems(spec);
    yield* namesProblems(spec.names);
    yield* conversionProblems(spec);
    if (spec.preserveUnknownFields)
      yield invalidValue(
        "spec.preserveUnknownFields",
        true,
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      );
    yield* storedProblems(definition);
  },
  *validateUpdate({ spec }, old, subresource) {
    if (subresource) return;
    const unchanged = (path: string, value: unknown, before: unknown) =>
      same(value, before) ? [] : [invalidValue(path, value, "field is immutable")];
    if (isEstablished(old)) {
      yield* unchanged("spec.scope", spec.scope, old.spec.scope);
      yield* unchanged("spec.names.kind", spec.names.kind, old.spec.names.kind);
    }
    yield* unchanged("spec.group", spec.group, old.spec.group);
    yield* unchanged("spec.names.plural", spec.names.plural, old.spec.names.plural);
  },
  columns: [nameColumn, createdColumn],
});

function* groupProblems({ group }: Spec): Iterable<FieldError> {
  if (!group) yield required("spec.group");
  else {
    const problems = dnsSubdomainProblems(group);
    if (problems.length) yield invalidValue("spec.group", group, problems.join(","));
    else if (!group.includes(".")) yield invalidValue("spec.group", group, "should be a domain with at least one dot");
  }
}

/** Where upstream keeps a version's schema: one that all versions share has moved to `spec.validation`. */
function schemaPath(versions: readonly Version[], index: number): string {
  const [first] = versions;
  const shared = versions.every(({ schema }) => schema && same(schema, first?.schema));
  return shared ? "spec.validation.openAPIV3Schema" : `spec.versions[${index}].schema.openAPIV3Schema`;
}

function* versionsProblems(spec: Spec): Iterable<FieldError> {
  const versions = versionsOf(spec);
  const names = new Set(versions.map(({ name }) => name));
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const problems = dns1035LabelProblems(version.name);
    if (problems.length) yield invalidValue(`${path}.name`, version.name, problems.join(","));
    if (version.deprecationWarning !== undefined && !version.deprecated)
      yield invalidValue(
        `${path}.deprecationWarning`,
        version.deprecationWarning,
        "can only be set for deprecated versions",
      );
    const schema = version.schema?.openAPIV3Schema;
    if (!schema) yield required(`${path}.schema.openAPIV3Schema`, "schemas are required");
    else if (index === 0 || schemaPath(versions, index) !== schemaPath(versions, 0))
      yield* schemaProblems(schema, schemaPath(versions, index));
    yield* columnProblems(version, path);
    yield* scaleProblems(version, path);
    yield* selectableProblems(version, path);
  }
  if (names.size !== versions.length)
    yield invalidValue("spec.versions", versions, "must contain unique version names");
  if (versions.filter(({ storage }) => storage).length !== 1)
    yield invalidValue("spec.versions", versions, "must have exactly one version marked as storage version");
}

/** Rules are looked at where the structure is sound. */
function* schemaProblems(schema: Props, path: string): Iterable<FieldError> {
  const problems = [...structuralProblems(schema, path)];
  yield* problems;
  if (problems.length === 0) yield* ruleProblems(objectSchema(schema), schema, path);
}

function* columnProblems({ additionalPrinterColumns = [] }: Version, path: string): Iterable<FieldError> {
  for (const [index, { name, type, jsonPath }] of additionalPrinterColumns.entries()) {
    const at = `${path}.additionalPrinterColumns[${index}]`;
    const oneOf = `must be one of ${COLUMN_TYPES.join(",")}`;
    if (!name) yield required(`${at}.name`);
    if (!type) yield required(`${at}.type`, oneOf);
    else if (!COLUMN_TYPES.includes(type)) yield invalidValue(`${at}.type`, type, oneOf);
    if (!jsonPath) yield required(`${at}.JSONPath`);
    else yield* pathProblems(jsonPath, `${at}.JSONPath`);
  }
}

function* pathProblems(jsonPath: string, at: string): Iterable<FieldError> {
  if (!jsonPath.startsWith(".")) {
    yield invalidValue(at, jsonPath, "must be a simple json path starting with .");
    return;
  }
  try {
    parseJsonPath(jsonPath);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    yield invalidValue(at, jsonPath, `is an invalid json path: ${error.message}`);
  }
}

function* scaleProblems({ subresources }: Version, path: string): Iterable<FieldError> {
  const scale = subresources?.scale;
  if (!scale) return;
  const at = `${path}.subresources.scale`;
  const under = (field: string, value: string, root: string) =>
    value.startsWith(root)
      ? []
      : [invalidValue(`${at}.${field}`, value, `should be a json path under ${root.slice(0, -1)}`)];
  if (!scale.specReplicasPath) yield required(`${at}.specReplicasPath`);
  else yield* under("specReplicasPath", scale.specReplicasPath, ".spec.");
  if (!scale.statusReplicasPath) yield required(`${at}.statusReplicasPath`);
  else yield* under("statusReplicasPath", scale.statusReplicasPath, ".status.");
  const selector = scale.labelSelectorPath;
  if (selector && !selector.startsWith(".spec.") && !selector.startsWith(".status."))
    yield invalidValue(`${at}.labelSelectorPath`, selector, "should be a json path under either .spec or .status");
}

type Props = NonNullable<NonNullable<Version["schema"]>["openAPIV3Schema"]>;

function* selectableProblems({ selectableFields = [], schema }: Version, path: string): Iterable<FieldError> {
  for (const [index, { jsonPath }] of selectableFields.entries()) {
    const at = `${path}.selectableFields[${index}].jsonPath`;
    if (!jsonPath) {
      yield required(at);
      continue;
    }
    const steps = jsonPath.replace(/^\./, "").split(".");
    let found: Props | undefined = schema?.openAPIV3Schema;
    for (const step of steps) found = found?.properties?.[step];
    if (!found) yield invalidValue(at, jsonPath, "is an invalid path: does not refer to a valid field");
    else if (steps[0] === "metadata") yield invalidValue(at, jsonPath, "must not point to fields in metadata");
    else if (!SELECTABLE_TYPES.includes(found.type ?? ""))
      yield invalidValue(
        at,
        jsonPath,
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
      );
  }
  if (selectableFields.length > MAX_SELECTABLE_FIELDS)
    yield invalidValue(
      `${path}.selectableFields`,
      selectableFields.length,
      `must have at most ${MAX_SELECTABLE_FIELDS} items`,
    );
}

function* namesProblems(names: Spec["names"]): Iterable<FieldError> {
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names;
  const label = (field: string, value: string, before = "") => {
    const problems = dns1035LabelProblems(value.toLowerCase());
    return problems.length ? [invalidValue(`spec.names.${field}`, value, before + problems.join(","))] : [];
  };
  const mixed = "may have mixed case, but should otherwise match: ";
  for (const [field, value] of Object.entries({ plural, singular, kind, listKind }))
    if (!value) yield required(`spec.names.${field}`);
    else yield* label(field, value, /kind/i.test(field) ? mixed : "");
  for (const [index, name] of shortNames.entries()) yield* label(`shortNames[${index}]`, name);
  for (const [index, name] of categories.entries()) yield* label(`categories[${index}]`, name);
  if (kind && kind === listKind)
    yield invalidValue("spec.names.listKind", listKind, "kind and listKind may not be the same");
}

function* conversionProblems({ conversion }: Spec): Iterable<FieldError> {
  if (!conversion) return;
  const at = "spec.conversion";
  if (!conversion.strategy) yield required(`${at}.strategy`);
  else if (!STRATEGIES.includes(conversion.strategy))
    yield notSupported(`${at}.strategy`, conversion.strategy, STRATEGIES);
  else if (conversion.strategy === "Webhook" && !conversion.webhook?.clientConfig)
    yield required(`${at}.webhookClientConfig`, "required when strategy is set to Webhook");
}

function* storedProblems({ spec, status }: CustomResourceDefinition): Iterable<FieldError> {
  const known = versionsOf(spec).map(({ name }) => name);
  for (const [index, version] of (status?.storedVersions ?? []).entries())
    if (!known.includes(version))
      yield invalidValue(
        `status.storedVersions[${index}]`,
        version,
        `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
      );
}
