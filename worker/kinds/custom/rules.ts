import { celEnvironment } from "../../lib/cel/environment.ts";
import { type Budget, CelError, compile, type Program } from "../../lib/cel/program.ts";
import { type FieldError, invalidValue } from "../../lib/status.ts";
import type { ApiextensionsV1ValidationRule as Declared } from "../generated/types.ts";
import { same } from "../paths.ts";
import type { Schema } from "../schema.ts";
import { declareSelf, selfValue } from "./cel-types.ts";

/** Steps that all rules about one object may take together. */
const OBJECT_STEPS = 1_000_000;
const DEFAULT_REASON = "FieldValueInvalid";

type Rule = { declared: Declared; program: Program; message: Program | undefined; comparesOld: boolean };

let duration: Program | undefined;
const convert = {
  duration(text: string) {
    duration ??= compile(celEnvironment().registerVariable("text", "string"), "duration(text)");
    return duration.evaluate({ text });
  },
};

/** Compiled once for a schema. */
const compiled = new WeakMap<Schema, readonly Rule[]>();

function rulesOf(schema: Schema): readonly Rule[] {
  const known = compiled.get(schema);
  if (known) return known;
  const rules = (schema.rules ?? []).map((declared) => compileRule(schema, declared));
  compiled.set(schema, rules);
  return rules;
}

/** Throws CelError for a rule that does not compile, or whose value is no bool. */
function compileRule(schema: Schema, declared: Declared): Rule {
  const environment = celEnvironment();
  declareSelf(environment, schema, ["self", "oldSelf"]);
  const program = compile(environment, declared.rule);
  if (program.type !== "bool" && program.type !== "dyn") throw new CelError("cel expression must evaluate to a bool");
  const message = declared.messageExpression ? compile(environment, declared.messageExpression) : undefined;
  if (message && message.type !== "string" && message.type !== "dyn")
    throw new CelError("messageExpression must evaluate to a string");
  return { declared, program, message, comparesOld: program.mentions("oldSelf") };
}

/** What is wrong with the rules of a schema and all within, when it is declared. `path` is the schema's own. */
export function* ruleProblems(schema: Schema, path: string): Iterable<FieldError> {
  for (const [index, declared] of (schema.rules ?? []).entries()) {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    try {
      compileRule(schema, declared);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      yield invalidValue(`${at}.rule`, declared.rule, `compilation failed: ERROR: <input>:1:1: ${error.message}`);
    }
    if (declared.message !== undefined && declared.message.trim() === "")
      yield invalidValue(`${at}.message`, declared.message, "message must be non-empty if specified");
  }
  for (const [name, field] of Object.entries(schema.fields ?? {}))
    if (!field.name) yield* ruleProblems(field, `${path}.properties[${name}]`);
  if (schema.items)
    yield* ruleProblems(schema.items, `${path}.${schema.type === "list" ? "items" : "additionalProperties"}`);
}

/**
 * Rules that the object breaks. On an update `old` is what was there; rules that compare with it are left out where
 * nothing was. What an update has not touched is not judged by the others.
 */
export function brokenRules(schema: Schema, object: unknown, old: unknown): Iterable<FieldError> {
  return broken(schema, object, old, "", { steps: OBJECT_STEPS });
}

function* broken(schema: Schema, value: unknown, old: unknown, path: string, budget: Budget): Iterable<FieldError> {
  if (schema.name || value === null || value === undefined) return;
  if (old === undefined || !same(value, old))
    for (const rule of rulesOf(schema)) yield* judge(rule, schema, value, old, path, budget);
  if (schema.type === "list" && Array.isArray(value) && schema.items)
    for (const [index, item] of value.entries())
      yield* broken(schema.items, item, correlated(schema, item, old), `${path}[${index}]`, budget);
  else if (typeof value === "object" && !Array.isArray(value))
    for (const [name, item] of Object.entries(value)) {
      const field = schema.fields && Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
      const before = (old as Record<string, unknown> | undefined)?.[name];
      if (field) yield* broken(field, item, before, path ? `${path}.${name}` : name, budget);
      else if (schema.items) yield* broken(schema.items, item, before, `${path}[${name}]`, budget);
    }
}

/** The same item in the old list, which only lists with keys can tell. */
function correlated({ listType, listKeys = [] }: Schema, item: unknown, old: unknown): unknown {
  if (listType !== "map" || !Array.isArray(old)) return undefined;
  const keyed = (value: unknown) => listKeys.map((key) => (value as Record<string, unknown> | null)?.[key]);
  return old.find((other) => same(keyed(other), keyed(item)));
}

function* judge(
  { declared, program, message, comparesOld }: Rule,
  schema: Schema,
  value: unknown,
  old: unknown,
  path: string,
  budget: Budget,
): Iterable<FieldError> {
  if (comparesOld && old === undefined && !declared.optionalOldSelf) return;
  const variables = { self: selfValue(schema, value, convert), oldSelf: selfValue(schema, old, convert) };
  const at = `${path}${declared.fieldPath ?? ""}`.replace(/^\./, "");
  const fail = (why: string): FieldError => ({
    ...invalidValue(at, typeName(schema), why),
    ...(declared.reason && declared.reason !== DEFAULT_REASON && failure(declared.reason, why)),
  });
  try {
    if (program.evaluate(variables, budget) === true) return;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    yield fail(`${error.message} evaluating rule: ${declared.message ?? declared.rule}`);
    return;
  }
  yield fail(said(message, variables, budget) ?? declared.message?.trim() ?? `failed rule: ${declared.rule.trim()}`);
}

const PREFIXES: Readonly<Record<string, string>> = {
  FieldValueForbidden: "Forbidden",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
};

const failure = (reason: string, why: string) => ({ reason, message: `${PREFIXES[reason] ?? reason}: ${why}` });

function said(message: Program | undefined, variables: Record<string, unknown>, budget: Budget): string | undefined {
  try {
    const text = message?.evaluate(variables, budget);
    return typeof text === "string" && text.trim() !== "" && !text.includes("\n") ? text.trim() : undefined;
  } catch (error) {
    if (error instanceof CelError) return undefined;
    throw error;
  }
}

const typeName = ({ type }: Schema): string => (type === "map" ? "object" : type === "list" ? "array" : type);
