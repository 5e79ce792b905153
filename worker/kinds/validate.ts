import { RE2JS } from "re2js";
import { errorText } from "../lib/error-text.ts";
import { duplicate, type FieldError, invalidValue, notSupported, required, tooLong, tooMany } from "../lib/status.ts";
import { hasFormat } from "./formats.ts";
import { same } from "./paths.ts";
import type { Schema } from "./schema.ts";

/**
 * What is wrong with a value by its schema, in the words of CRD validation. Parts with a named schema (metadata) were
 * decoded and are left alone. `path` is the value's own: "" for a whole object.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
 */
export function* validateSchema(schema: Schema, value: unknown, path = ""): Iterable<FieldError> {
  yield* valueProblems(schema, value, path);
  yield* listProblems(schema, value, path);
}

/** The same of an update: what it has not touched is not held against it. */
export function* validateSchemaUpdate(schema: Schema, value: unknown, old: unknown): Iterable<FieldError> {
  yield* valueProblems(schema, value, "", { old });
  const repeats = [...listProblems(schema, value, "")];
  if (repeats.length && [...listProblems(schema, old, "")].length === 0) yield* repeats;
}

/** What was there before, where that can be found. */
type Before = { old: unknown } | undefined;

function itemBefore({ listType, listKeys = [] }: Schema, item: unknown, before: Before): Before {
  if (!before || listType !== "map" || !Array.isArray(before.old)) return undefined;
  const key = pick(item, listKeys);
  const old = before.old.find((other) => same(pick(other, listKeys), key));
  return old === undefined ? undefined : { old };
}

const fieldBefore = (name: string, before: Before): Before =>
  before && isObject(before.old) && before.old[name] !== undefined ? { old: before.old[name] } : undefined;

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const child = (path: string, name: string) => (path ? `${path}.${name}` : name);
const own = (fields: Schema["fields"], name: string) =>
  fields && Object.hasOwn(fields, name) ? fields[name] : undefined;

function* valueProblems(schema: Schema, value: unknown, path: string, before?: Before): Iterable<FieldError> {
  if (schema.name) return;
  if (!before) {
    yield* problemsOf(schema, value, path, undefined);
    return;
  }
  const problems = [...problemsOf(schema, value, path, before)];
  if (problems.length && !same(value, before.old)) yield* problems;
}

function* problemsOf(schema: Schema, value: unknown, path: string, before: Before): Iterable<FieldError> {
  const wrong = typeProblem(schema, value, path);
  if (wrong) {
    yield wrong;
    return;
  }
  if (value === null) return;
  if (schema.enum && !schema.enum.some((allowed) => same(allowed, value))) {
    const shown = schema.enum.map((allowed) => (typeof allowed === "string" ? allowed : JSON.stringify(allowed)));
    yield notSupported(path, value, shown);
  }
  if (typeof value === "string") yield* stringProblems(schema, value, path);
  else if (typeof value === "number") yield* numberProblems(schema, value, path);
  else if (Array.isArray(value)) yield* itemProblems(schema, value, path, before);
  else if (isObject(value)) yield* fieldProblems(schema, value, path, before);
  yield* compositeProblems(schema, value, path);
}

const jsonTypes: Partial<Record<Schema["type"], string>> = { map: "object", list: "array" };

function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function typeProblem(schema: Schema, value: unknown, path: string): FieldError | undefined {
  if (schema.type === "any" || (value === null && schema.nullable)) return undefined;
  const wanted = jsonTypes[schema.type] ?? schema.type;
  const given = jsonType(value);
  if (given === wanted || (given === "integer" && wanted === "number")) return undefined;
  if (schema.format === "int-or-string")
    return given === "integer" ? undefined : typeInvalid(path, "integer,string", given);
  if (schema.type === "string" && schema.format && value !== null && given !== "string")
    return typeInvalid(path, schema.format, "");
  return typeInvalid(path, wanted, given);
}

const typeInvalid = (path: string, wanted: string, given: string): FieldError => ({
  ...invalidValue(path, given, `${path} in body must be of type ${wanted}: ${JSON.stringify(given)}`),
  reason: "FieldValueTypeInvalid",
});

/** Compiled patterns of users, which may only take linear time. */
const patterns = new Map<string, RE2JS>();
const MAX_PATTERNS = 1000;

function matches(pattern: string, text: string): boolean {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    compiled = RE2JS.compile(pattern);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(pattern, compiled);
  }
  return compiled.matcher(text).find();
}

/** Why a text is no pattern, in the words of Go's regexp; undefined for one that is. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

function* stringProblems(schema: Schema, text: string, path: string): Iterable<FieldError> {
  const { maxLength, minLength, pattern, format } = schema;
  const length = maxLength !== undefined || minLength !== undefined ? [...text].length : 0;
  // Of what text must be, the first that it is not is told; a format is another matter.
  if (maxLength !== undefined && length > maxLength) yield tooLong(path, maxLength);
  else if (minLength !== undefined && length < minLength)
    yield invalidValue(path, text, `${path} in body should be at least ${minLength} chars long`);
  else if (pattern !== undefined && !matches(pattern, text))
    yield invalidValue(path, text, `${path} in body should match '${pattern}'`);
  if (format && !hasFormat(format, text)) yield typeInvalid(path, format, text);
}

function* numberProblems(schema: Schema, value: number, path: string): Iterable<FieldError> {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const fail = (why: string) => invalidValue(path, value, `${path} in body should be ${why}`);
  // Whole numbers are held against a whole factor.
  const factor = multipleOf !== undefined && Number.isInteger(value) ? Math.trunc(multipleOf) : multipleOf;
  if (factor !== undefined && factor <= 0)
    yield invalidValue(path, 0, `factor MultipleOf declared for ${path} must be positive: ${factor}`);
  else if (factor !== undefined && !Number.isInteger(value / factor)) yield fail(`a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    yield fail(`less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`);
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    yield fail(`greater than ${exclusiveMinimum ? "" : "or equal to "}${minimum}`);
}

function* itemProblems(schema: Schema, list: readonly unknown[], path: string, before: Before): Iterable<FieldError> {
  const { items, minItems, maxItems, uniqueItems } = schema;
  if (minItems !== undefined && list.length < minItems)
    yield invalidValue(path, list.length, `${path} in body should have at least ${minItems} items`);
  if (maxItems !== undefined && list.length > maxItems) yield tooMany(path, list.length, maxItems);
  if (uniqueItems && repeated(list).length)
    yield invalidValue(path, "", `${path} in body shouldn't contain duplicates`);
  if (items)
    for (const [index, item] of list.entries())
      yield* valueProblems(items, item, `${path}[${index}]`, itemBefore(schema, item, before));
}

function* fieldProblems(schema: Schema, object: Fields, path: string, before: Before): Iterable<FieldError> {
  if (schema.embedded)
    for (const name of ["apiVersion", "kind"]) if (object[name] === undefined) yield required(child(path, name));
  const { fields, items, minProperties, maxProperties } = schema;
  const count = minProperties !== undefined || maxProperties !== undefined ? Object.keys(object).length : 0;
  if (minProperties !== undefined && count < minProperties)
    yield invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`);
  if (maxProperties !== undefined && count > maxProperties) yield tooMany(path, count, maxProperties);
  for (const [name, value] of Object.entries(object)) {
    const field = own(fields, name) ?? items;
    if (field && value !== undefined) yield* valueProblems(field, value, child(path, name), fieldBefore(name, before));
  }
  for (const name of schema.required ?? []) if (object[name] === undefined) yield required(child(path, name));
}

/** allOf, anyOf, oneOf, not. Their own problem names no field; the nearest alternative's problems follow it. */
function* compositeProblems(schema: Schema, value: unknown, path: string): Iterable<FieldError> {
  const fail = (why: string) => invalidValue("<nil>", "", `${JSON.stringify(path)} must ${why}`);
  const tried = (schemas: readonly Schema[]) => schemas.map((s) => [...valueProblems(s, value, path)]);
  const nearest = (failures: FieldError[][]) => failures.toSorted((a, b) => a.length - b.length)[0] ?? [];
  if (schema.anyOf) {
    const results = tried(schema.anyOf);
    if (!results.some((problems) => problems.length === 0))
      yield* [fail("validate at least one schema (anyOf)"), ...nearest(results)];
  }
  if (schema.oneOf) {
    const results = tried(schema.oneOf);
    const valid = results.filter((problems) => problems.length === 0).length;
    const found = valid ? `Found ${valid} valid alternatives` : "Found none valid";
    if (valid !== 1) yield fail(`validate one and only one schema (oneOf). ${found}`);
    if (valid === 0) yield* nearest(results);
  }
  if (schema.allOf) {
    const results = tried(schema.allOf);
    const failed = results.filter((problems) => problems.length > 0);
    yield* failed.flat();
    if (failed.length)
      yield fail(`validate all the schemas (allOf)${failed.length === results.length ? ". None validated" : ""}`);
  }
  if (schema.not && [...valueProblems(schema.not, value, path)].length === 0)
    yield fail("not validate the schema (not)");
}

/** Sets and maps made of lists hold no item, no key, twice. */
function* listProblems(schema: Schema, value: unknown, path: string): Iterable<FieldError> {
  if (schema.name || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const { listType, listKeys = [], items } = schema;
    const keys = listType === "map" ? value.map((item) => pick(item, listKeys)) : value;
    if (listType === "map" || listType === "set")
      for (const index of repeated(keys)) yield duplicate(`${path}[${index}]`, keys[index]);
    if (items) for (const [index, item] of value.entries()) yield* listProblems(items, item, `${path}[${index}]`);
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    const field = own(schema.fields, name);
    if (field) yield* listProblems(field, item, child(path, name));
    else if (schema.items) yield* listProblems(schema.items, item, `${path}[${name}]`);
  }
}

const pick = (item: unknown, names: readonly string[]): Fields =>
  Object.fromEntries(names.filter((n) => isObject(item) && item[n] !== undefined).map((n) => [n, (item as Fields)[n]]));

/** The index of the second appearance of each value that comes more than once. */
function repeated(list: readonly unknown[]): number[] {
  const times = new Map<string, number>();
  return list.flatMap((item, index) => {
    const key = JSON.stringify(item);
    const before = times.get(key) ?? 0;
    times.set(key, before + 1);
    return before === 1 ? [index] : [];
  });
}

/**
 * For built-in kinds without rules of their own: required text, references and objects that are missing or empty.
 * Numbers and lists may be empty where they are required.
 */
export function* missingFields(schema: Schema, value: unknown, path = ""): Iterable<FieldError> {
  if (typeof value !== "object" || value === null) return;
  if (schema.items) {
    const isList = Array.isArray(value);
    for (const [key, item] of Object.entries(value))
      yield* missingFields(schema.items, item, isList || path ? `${path}[${key}]` : key);
    return;
  }
  const object = value as Fields;
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    const given = object[name];
    const isEmpty = given === undefined || given === null || given === "";
    if (isEmpty && schema.required?.includes(name) && (field.type === "string" || field.type === "object"))
      yield required(child(path, name));
    else if (name !== "metadata" && name !== "status") yield* missingFields(field, given, child(path, name));
  }
}
