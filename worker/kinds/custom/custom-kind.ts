import type { KubeObject } from "../../lib/object.ts";
import { type FieldError, invalidValue } from "../../lib/status.ts";
import type { CustomResourceDefinition } from "../apiextensions/custom-resource-definition.ts";
import { decode } from "../decode.ts";
import { applyDefaults } from "../defaults.ts";
import { kindOf } from "../define-kind.ts";
import type { FieldSelector, Kind, ScalePaths, Subresource, WebhookConversion } from "../kind.ts";
import { read } from "../paths.ts";
import type { Schema } from "../schema.ts";
import { validateSchema, validateSchemaUpdate } from "../validate.ts";
import { customColumns } from "./columns.ts";
import { embeddedProblems } from "./embedded.ts";
import { brokenRules, hasRules } from "./rules.ts";
import { scaleStatusProblems, specReplicasProblems } from "./scale-problems.ts";
import { objectSchema, structuralSchema } from "./structural.ts";

const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const SUBRESOURCE_VERBS = ["get", "patch", "update"];
const SCALE_BODY = { group: "autoscaling", version: "v1", kind: "Scale" };

type Version = CustomResourceDefinition["spec"]["versions"][number];

/**
 * The kinds that a CustomResourceDefinition serves, one a version, as kinds like any other.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export function customKinds(definition: CustomResourceDefinition): Kind[] {
  const conversion = conversionOf(definition);
  return definition.spec.versions
    .filter(({ served }) => served)
    .map((version) => ({
      ...customKind(definition, version),
      // What a webhook made of an object is stored as it came.
      ...(conversion ? { conversion } : { schemaRevision: Number(definition.metadata.resourceVersion) }),
    }));
}

function conversionOf({ spec }: CustomResourceDefinition): WebhookConversion | undefined {
  const { strategy, webhook } = spec.conversion ?? {};
  if (strategy !== "Webhook" || !webhook?.clientConfig) return undefined;
  const apiVersion = ({ name }: Version) => `${spec.group}/${name}`;
  return {
    client: webhook.clientConfig,
    reviewVersions: webhook.conversionReviewVersions,
    storedAs: spec.versions.filter(({ storage }) => storage).map(apiVersion)[0] ?? "",
    served: spec.versions.filter(({ served }) => served).map(apiVersion),
  };
}

function customKind(definition: CustomResourceDefinition, version: Version): Kind {
  const { group, scope } = definition.spec;
  const names = definition.status?.acceptedNames ?? definition.spec.names;
  const declared = version.schema?.openAPIV3Schema ?? {};
  const schema = objectSchema(declared);
  const metadata = declared.properties?.metadata;
  const { scale } = scaleOf(version);
  const metadataSchema = metadata && structuralSchema({ ...metadata, type: "object" });
  const kind = kindOf(
    {
      group,
      version: version.name,
      kind: names.kind,
      ...(names.listKind && { listKind: names.listKind }),
      resource: names.plural,
      singular: names.singular ?? "",
      namespaced: scope === "Namespaced",
      schema,
      shortNames: names.shortNames ?? [],
      categories: names.categories ?? [],
      verbs: VERBS,
      subresources: subresourcesOf(version),
      countsGeneration: true,
    },
    {
      default: (object) => dropNulls(schema, object),
      *validate(object): Iterable<FieldError> {
        if (metadataSchema) yield* validateSchema(metadataSchema, object.metadata, "metadata");
      },
      *validateCreate(object) {
        const problems = [...validateSchema(schema, object), ...partProblems(schema, scale, object)];
        yield* withRules(schema, object, undefined, problems);
      },
      *validateUpdate(object, old, subresource) {
        const problems =
          subresource === "status"
            ? [...statusProblems(schema, object, old), ...(scale ? scaleStatusProblems(scale, object) : [])]
            : [...validateSchemaUpdate(schema, object, old), ...partProblems(schema, scale, object)];
        yield* withRules(schema, object, old, problems);
      },
      warnings: (object) => unchangedProblems.get(object) ?? [],
      ...(version.deprecated && { deprecation: deprecation(definition, version) }),
      columns: customColumns(version.additionalPrinterColumns ?? []),
      fieldSelectors: selectorsOf(version),
      ...scaleOf(version),
    },
  );
  return {
    ...kind,
    openapi: declared as Readonly<Record<string, unknown>>,
    // The schema may be newer than what is stored: what it no longer names goes, and what it adds comes in.
    refresh(object) {
      decode(schema, object, "Ignore");
      applyDefaults(schema, object);
      dropNulls(schema, object);
    },
    storageVersion: definition.spec.versions.find(({ storage }) => storage)?.name ?? version.name,
  };
}

/** Of the number that is scaled, and of objects within. */
function* partProblems(schema: Schema, scale: ScalePaths | undefined, object: KubeObject): Iterable<FieldError> {
  if (scale) yield* specReplicasProblems(scale, object);
  yield* embeddedProblems(schema, object, "");
}

/** A write to the status is held to the schema of the status alone, whose problems are told from there. */
function* statusProblems(schema: Schema, object: KubeObject, old: KubeObject): Iterable<FieldError> {
  const status = schema.fields?.status;
  const value = read(object, "status");
  if (!status || value === undefined) return;
  for (const problem of validateSchemaUpdate(status, value, read(old, "status")))
    yield problem.field.startsWith("<") ? problem : { ...problem, field: `status.${problem.field}` };
}

/** Takes away, in place, what is null where the schema allows none. */
function dropNulls(schema: Schema, value: unknown): void {
  if (typeof value !== "object" || value === null || schema.name) return;
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) dropNulls(schema.items, item);
    return;
  }
  const object = value as Record<string, unknown>;
  for (const [name, item] of Object.entries(object)) {
    const field = schema.fields && Object.hasOwn(schema.fields, name) ? schema.fields[name] : schema.items;
    if (!field || field.name) continue;
    if (item === null && !field.nullable) delete object[name];
    else dropNulls(field, item);
  }
}

/** What is wrong with parts that an update has not touched, which it is only warned of. */
const unchangedProblems = new WeakMap<object, readonly string[]>();

/** Rules are not held against what has not even the right structure. */
const BLOCKING = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

function* withRules(
  schema: Schema,
  object: KubeObject,
  old: KubeObject | undefined,
  problems: readonly FieldError[],
): Iterable<FieldError> {
  yield* problems;
  if (!hasRules(schema)) return;
  if (problems.some(({ reason }) => BLOCKING.has(reason))) {
    yield invalidValue(
      "<nil>",
      null,
      "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
    );
    return;
  }
  const { errors, warnings } = brokenRules(schema, object, old);
  if (warnings.length) unchangedProblems.set(object, warnings);
  yield* errors;
}

function deprecation({ spec }: CustomResourceDefinition, { name, deprecationWarning }: Version): string {
  return deprecationWarning ?? `${spec.group}/${name} ${spec.names.kind} is deprecated`;
}

function subresourcesOf({ subresources }: Version): Subresource[] {
  return [
    ...(subresources?.status ? [{ name: "status", verbs: SUBRESOURCE_VERBS }] : []),
    ...(subresources?.scale ? [{ name: "scale", verbs: SUBRESOURCE_VERBS, body: SCALE_BODY }] : []),
  ];
}

function scaleOf({ subresources }: Version): { scale?: ScalePaths } {
  const scale = subresources?.scale;
  if (!scale) return {};
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = "" } = scale;
  return { scale: { specReplicas: specReplicasPath, statusReplicas: statusReplicasPath, selector: labelSelectorPath } };
}

function selectorsOf({ selectableFields = [] }: Version): Record<string, FieldSelector> {
  return Object.fromEntries(
    selectableFields.map(({ jsonPath }): [string, FieldSelector] => {
      const path = jsonPath.replace(/^\./, "");
      return [path, (object) => String(read(object, path) ?? "")];
    }),
  );
}
