import { dnsSubdomainProblems } from "../lib/names.ts";
import type { KubeObject } from "../lib/object.ts";
import { type FieldError, invalidValue } from "../lib/status.ts";
import { derivedColumns, describedColumns } from "./columns.ts";
import { applyDefaults, writeZeros } from "./defaults.ts";
import { resources } from "./generated/resources.ts";
import type { Schemas } from "./generated/types.ts";
import { countsGeneration } from "./generation.ts";
import type { Column, FieldSelector, Kind, ScalePaths } from "./kind.ts";
import { fill, read, same } from "./paths.ts";
import type { Schema } from "./schema.ts";
import { type ResourceFacts, schemaOf } from "./tables.ts";
import { missingFields } from "./validate.ts";

export type ObjectOf<Name extends keyof Schemas> = Schemas[Name] extends KubeObject ? Schemas[Name] : never;

/** What the documents cannot say about a kind. All else of a `Kind` follows from the generated facts. */
export type KindRules<T extends KubeObject> = {
  /** Dotted paths that never change after creation. */
  immutable?: readonly string[];
  /** Dotted path (`[]` for list items) → value where absent. Applied in this order, where the owner is present. */
  defaults?: Readonly<Record<string, unknown>>;
  /** Defaulting that depends on other fields; runs last. */
  default?(object: T): void;
  /** Subresources that write `status` and nothing else; `status` alone where absent. */
  statusEndpoints?: readonly string[];
  /** Dotted fields that a write to an endpoint leaves as they are; where absent, `status` or all but it. */
  resetFields?(subresource: string): readonly string[];
  /** A new object keeps the status it came with. */
  statusOnCreate?: boolean;
  /** Runs after `status` was emptied, where `/status` is a subresource. */
  prepareForCreate?(object: T): void;
  /** Runs after `status` (or, on `/status`, everything else but metadata) was kept from `old`. */
  prepareForUpdate?(object: T, old: T, subresource: string): void;
  /** Where absent, required fields are still looked for. */
  validate?(object: T): Iterable<FieldError>;
  validateCreate?(object: T): Iterable<FieldError>;
  validateUpdate?(object: T, old: T, subresource: string): Iterable<FieldError>;
  /** An update judges the object twice, and tells its problems twice. */
  judgedTwice?: boolean;
  /** The problems of an update come before those of the object. */
  changesFirst?: boolean;
  deprecation?: string;
  warnings?(object: T, old: T | undefined, subresource: string): Iterable<string>;
  columns?: readonly Column<T>[];
  /** Added to those that read their field by its path. */
  fieldSelectors?: Readonly<Record<string, FieldSelector<T>>>;
  nameProblems?(name: string): readonly string[];
  scale?: ScalePaths;
  changesGeneration?(object: T, old: T): boolean;
};

/** A built-in kind, from its definition's name and its own rules. */
export function defineKind<Name extends keyof Schemas>(
  rules: { schema: Name } & KindRules<ObjectOf<Name>>,
): Kind<ObjectOf<Name>> {
  const facts = resources.find((r) => r.schema === rules.schema && !r.resource.includes("/"));
  if (!facts) throw new Error(`no resource serves ${rules.schema}`);
  return kindOf<ObjectOf<Name>>(facts, rules);
}

/** `apps/v1`, `v1`. */
const apiVersionOf = (group: string, version: string): string => (group ? `${group}/${version}` : version);

/** What discovery says of a kind; that of a custom resource brings its structure along. */
export type KindFacts = Omit<ResourceFacts, "schema"> & {
  schema: string | Schema;
  /** Where it is not the kind's name with `List`. */
  listKind?: string;
  /** Custom resources do, whatever their group. */
  countsGeneration?: boolean;
};

/** Joins what discovery says of a resource with rules. */
export function kindOf<T extends KubeObject>(facts: KindFacts, rules: KindRules<T> = {}): Kind<T> {
  const subresources = facts.subresources ?? [];
  const hasStatus = subresources.some((s) => s.name === "status");
  const statusEndpoints = rules.statusEndpoints ?? ["status"];
  const hasGeneration = facts.countsGeneration ?? countsGeneration(facts.group, facts.resource);
  const schema = typeof facts.schema === "string" ? schemaOf(facts.schema) : facts.schema;
  return {
    group: facts.group,
    version: facts.version,
    kind: facts.kind,
    listKind: facts.listKind ?? `${facts.kind}List`,
    resource: facts.resource,
    singular: facts.singular,
    groupResource: facts.group ? `${facts.resource}.${facts.group}` : facts.resource,
    apiVersion: apiVersionOf(facts.group, facts.version),
    namespaced: facts.namespaced,
    shortNames: facts.shortNames ?? [],
    categories: facts.categories ?? [],
    verbs: facts.verbs,
    subresources,
    schema,
    ...(rules.scale && { scale: rules.scale }),
    ...(rules.resetFields && { resetFields: rules.resetFields.bind(rules) }),
    ...(rules.changesFirst && { changesFirst: true }),
    ...(rules.deprecation && { deprecation: rules.deprecation }),
    nameProblems: rules.nameProblems?.bind(rules) ?? dnsSubdomainProblems,
    hasGeneration,
    default: defaulter(schema, rules),
    prepareForCreate(object) {
      if (hasStatus && !rules.statusOnCreate) clearStatus(schema, object);
      rules.prepareForCreate?.(object);
    },
    prepareForUpdate(object, old, subresource) {
      if (hasStatus) (statusEndpoints.includes(subresource) ? keepAllButStatus : keepStatus)(object, old);
      rules.prepareForUpdate?.(object, old, subresource);
    },
    changesGeneration: (object, old) =>
      hasGeneration &&
      (rules.changesGeneration?.(object, old) ?? differs(object, old, hasStatus || schema.name !== undefined)),
    validate: (object) => (rules.validate ? rules.validate(object) : missingFields(schema, object)),
    validateCreate: (object) => rules.validateCreate?.(object) ?? [],
    *validateUpdate(object, old, subresource) {
      if (rules.judgedTwice && !statusEndpoints.includes(subresource)) yield* rules.validate?.(object) ?? [];
      yield* immutableProblems(rules.immutable ?? [], object, old);
      yield* rules.validateUpdate?.(object, old, subresource) ?? [];
    },
    warnings: (object, old, subresource) => rules.warnings?.(object, old, subresource) ?? [],
    columns: describedColumns(rules.columns ?? (derivedColumns(facts.columns) as Column<T>[]), facts.columns),
    fieldSelectors: { ...pathSelectors(schema, facts.fieldSelectors ?? []), ...rules.fieldSelectors },
  };
}

function defaulter<T extends KubeObject>(schema: Schema, rules: KindRules<T>): (object: T) => void {
  const paths = Object.entries(rules.defaults ?? {});
  return (object) => {
    applyDefaults(schema, object);
    for (const [path, value] of paths) fill(object, path, value);
    rules.default?.(object);
    writeZeros(schema, object);
  };
}

type WithStatus = KubeObject & { status?: unknown };

function clearStatus(schema: Schema, object: WithStatus): void {
  delete object.status;
  const status = schema.fields?.status;
  if (status?.zero === undefined) return;
  object.status = {};
  writeZeros(status, object.status);
}

function keepStatus(object: WithStatus, old: WithStatus): void {
  if (old.status === undefined) delete object.status;
  else object.status = old.status;
}

const ownedByEndpoint = new Set(["apiVersion", "kind", "metadata", "status"]);

function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  const fields = object as Record<string, unknown>;
  for (const name of Object.keys(fields)) if (!ownedByEndpoint.has(name)) delete fields[name];
  for (const [name, value] of Object.entries(old)) if (!ownedByEndpoint.has(name)) fields[name] = value;
}

/** A custom resource without a status subresource has its status counted like any other field. */
function differs(object: KubeObject, old: KubeObject, besideStatus: boolean): boolean {
  const a = object as Record<string, unknown>;
  const b = old as Record<string, unknown>;
  const counts = (name: string) => !ownedByEndpoint.has(name) || (name === "status" && !besideStatus);
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const name of names) if (counts(name) && !same(a[name], b[name])) return true;
  return false;
}

function* immutableProblems(paths: readonly string[], object: KubeObject, old: KubeObject): Iterable<FieldError> {
  for (const path of paths) {
    const value = read(object, path);
    if (!same(value, read(old, path))) yield invalidValue(path, value, "field is immutable");
  }
}

/** Selectors that read their own path; an absent value reads as Go's zero value does. */
function pathSelectors(schema: Schema, paths: readonly string[]): Record<string, FieldSelector> {
  return Object.fromEntries(
    paths.map((path) => {
      const type = path.split(".").reduce<Schema | undefined>((s, step) => s?.fields?.[step], schema)?.type;
      const absent = type === "boolean" ? "false" : type === "integer" ? "0" : "";
      return [path, (object: KubeObject) => String(read(object, path) ?? absent)];
    }),
  );
}
