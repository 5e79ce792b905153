/** Holds values to the rules of `x-kubernetes-validations`. */
import { byteLength } from "../../lib/bytes.ts";
import { type Budget, CelError, CostExceeded, MAX_COST, type Program } from "../../lib/cel/program.ts";
import { NONE, some } from "../../lib/cel/values.ts";
import { duplicate, type FieldError, forbiddenField, invalidValue, required, withoutValue } from "../../lib/status.ts";
import type { ApiextensionsV1ValidationRule as Written } from "../generated/types.ts";
import { same } from "../paths.ts";
import type { Schema } from "../schema.ts";
import { selfValue } from "./cel-types.ts";
import { type Rule, rulesOf } from "./compiled-rules.ts";

/** What all rules about one object may cost together. */
const OBJECT_COST = 10_000_000;
const MAX_MESSAGE_BYTES = 5 * 1024;

export type Broken = { errors: FieldError[]; warnings: string[] };

/**
 * Rules that the object breaks. On an update `old` is what was there; rules that compare with it are left out where
 * nothing was. What an update has not touched only warns.
 */
export function brokenRules(schema: Schema, object: unknown, old: unknown, isResource = true): Broken {
  const judge = new Judge();
  judge.visit(schema, object, old, "", { isResource, isUnchanged: false, isCorrelated: old !== undefined });
  return judge.broken;
}

/** `isUnchanged` is said of the nearest ancestor that could be compared. */
type Context = { isResource: boolean; isUnchanged: boolean; isCorrelated: boolean };

class Judge {
  readonly broken: Broken = { errors: [], warnings: [] };
  private left = OBJECT_COST;

  /** False when the rules may cost no more. */
  visit(schema: Schema, value: unknown, old: unknown, path: string, context: Context): boolean {
    if (schema.name || value === null || value === undefined) return true;
    const isUnchanged = context.isCorrelated ? old !== undefined && same(value, old) : context.isUnchanged;
    if (!this.judgeAll(schema, value, old, path, context.isResource, isUnchanged)) return false;
    if (!hasRulesWithin(schema)) return true;
    if (Array.isArray(value)) return this.visitItems(schema, value, old, path, isUnchanged, context.isCorrelated);
    if (typeof value !== "object") return true;
    return this.visitFields(schema, value as Record<string, unknown>, old, path, isUnchanged, context.isCorrelated);
  }

  private visitItems(
    schema: Schema,
    list: readonly unknown[],
    old: unknown,
    path: string,
    isUnchanged: boolean,
    isCorrelated: boolean,
  ): boolean {
    const { items } = schema;
    if (!items) return true;
    return list.every((item, index) => {
      const before = correlated(schema, item, old);
      return this.visit(items, item, before, `${path}[${index}]`, {
        isResource: items.embedded ?? false,
        isUnchanged,
        isCorrelated: isCorrelated && before !== undefined,
      });
    });
  }

  private visitFields(
    schema: Schema,
    object: Readonly<Record<string, unknown>>,
    old: unknown,
    path: string,
    isUnchanged: boolean,
    isCorrelated: boolean,
  ): boolean {
    for (const [name, item] of Object.entries(object)) {
      const field = schema.fields && Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
      const within = field ?? schema.items;
      if (!within) continue;
      const before = (old as Record<string, unknown> | null | undefined)?.[name];
      const at = field ? (path ? `${path}.${name}` : name) : `${path}[${name}]`;
      const context = {
        isResource: within.embedded ?? false,
        isUnchanged,
        isCorrelated: isCorrelated && before !== undefined,
      };
      if (!this.visit(within, item, before, at, context)) return false;
    }
    return true;
  }

  private judgeAll(
    schema: Schema,
    value: unknown,
    old: unknown,
    path: string,
    isResource: boolean,
    isUnchanged: boolean,
  ): boolean {
    const rules = rulesOf(schema, isResource);
    if (!rules.length) return true;
    const self = selfValue(resourceSchema(schema, isResource), value);
    const before = old === undefined || old === null ? undefined : selfValue(resourceSchema(schema, isResource), old);
    for (const rule of rules) {
      if (!rule.program || (rule.usesOld && before === undefined && !rule.written.optionalOldSelf)) continue;
      const oldSelf = rule.written.optionalOldSelf ? (before === undefined ? NONE : some(before)) : before;
      const variables = { self, ...(oldSelf !== undefined && { oldSelf }) };
      if (!this.judge(rule, rule.program, variables, schema, value, path, isUnchanged)) return false;
    }
    return true;
  }

  private judge(
    rule: Rule,
    program: Program,
    variables: Record<string, unknown>,
    schema: Schema,
    value: unknown,
    path: string,
    isUnchanged: boolean,
  ): boolean {
    const fail = (why: string) => this.broken.errors.push(invalidValue(path || "<nil>", typeName(schema), why));
    const { outcome, error } = this.evaluate(program, variables);
    if (this.left < 0) {
      fail("validation failed due to running out of cost budget, no further validation rules will be run");
      return false;
    }
    if (error) {
      fail(failure(error, rule.written));
      return !(error instanceof CostExceeded);
    }
    if (outcome === true) return true;
    const at = rule.path ? (path ? `${path}.${rule.path}` : rule.path) : path || "<nil>";
    const said = this.message(rule, variables, at, schema);
    if (said.error) {
      this.add(said.error, rule, isUnchanged);
      return false;
    }
    this.add(complaint(at, value, said.text ?? messageOf(rule.written), rule.written.reason), rule, isUnchanged);
    return true;
  }

  private add(problem: FieldError, rule: Rule, isUnchanged: boolean): void {
    if (!rule.usesOld && isUnchanged) this.broken.warnings.push(`${problem.field}: ${problem.message}`);
    else this.broken.errors.push(problem);
  }

  private evaluate(program: Program, variables: Record<string, unknown>): { outcome?: unknown; error?: CelError } {
    const budget: Budget = { cost: MAX_COST };
    try {
      return { outcome: program.evaluate(variables, budget) };
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return { error };
    } finally {
      this.left -= MAX_COST - Math.max(0, budget.cost);
    }
  }

  /** What the rule's expression says of the failure; nothing where it says nothing that can be shown. */
  private message(
    { message, written }: Rule,
    variables: Record<string, unknown>,
    at: string,
    schema: Schema,
  ): { text?: string; error?: FieldError } {
    if (!message) return {};
    const { outcome, error } = this.evaluate(message, variables);
    const stop = (why: string) => ({ error: invalidValue(at, typeName(schema), why) });
    if (this.left < 0)
      return stop(
        "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run",
      );
    if (error instanceof CostExceeded)
      return stop(
        `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(written.messageExpression)}`,
      );
    const text = typeof outcome === "string" ? outcome.trim() : "";
    const isLong = byteLength(text) > MAX_MESSAGE_BYTES;
    return error || isLong || text === "" || text.includes("\n") ? {} : { text };
  }
}

/** Whether a schema or one within has rules. */
export const hasRules = (schema: Schema): boolean => (schema.rules?.length ?? 0) > 0 || hasRulesWithin(schema);

const withRules = new WeakMap<Schema, boolean>();

function hasRulesWithin(schema: Schema): boolean {
  const known = withRules.get(schema);
  if (known !== undefined) return known;
  const within = [...(schema.name ? [] : Object.values(schema.fields ?? {})), ...(schema.items ? [schema.items] : [])];
  const has = within.some((child) => !child.name && ((child.rules?.length ?? 0) > 0 || hasRulesWithin(child)));
  withRules.set(schema, has);
  return has;
}

/** Of a whole object's metadata only the names can be seen. */
function resourceSchema(schema: Schema, isResource: boolean): Schema {
  if (!isResource) return schema;
  const text: Schema = { type: "string" };
  const metadata: Schema = { type: "object", fields: { name: text, generateName: text } };
  return { ...schema, fields: { ...schema.fields, apiVersion: text, kind: text, metadata } };
}

/** The same item in the old list, which only lists with keys can tell. */
function correlated({ listType, listKeys = [] }: Schema, item: unknown, old: unknown): unknown {
  if (listType !== "map" || !Array.isArray(old)) return undefined;
  const keyed = (value: unknown) => listKeys.map((key) => (value as Record<string, unknown> | null)?.[key]);
  return old.find((other) => same(keyed(other), keyed(item)));
}

const ruleText = ({ message, rule }: Written): string => (message || rule).trim();
const messageOf = (written: Written): string =>
  written.message ? written.message.trim() : `failed rule: ${ruleText(written)}`;

function failure(error: CelError, written: Written): string {
  if (error.message.startsWith("no such overload"))
    return `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(written)}`;
  if (error instanceof CostExceeded)
    return `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(written)}`;
  return `${error.message} evaluating rule: ${ruleText(written)}`;
}

function complaint(at: string, value: unknown, why: string, reason: string | undefined): FieldError {
  const isShown = typeof value !== "object" || value === null;
  switch (reason) {
    case "FieldValueForbidden":
      return forbiddenField(at, why);
    case "FieldValueRequired":
      return required(at, why);
    case "FieldValueDuplicate":
      return isShown ? duplicate(at, value) : { ...duplicate(at, value), message: "Duplicate value" };
    default:
      return isShown ? invalidValue(at, value, why) : withoutValue(at, why);
  }
}

const typeName = ({ type, format }: Schema): string =>
  type === "map" ? "object" : type === "list" ? "array" : format === "int-or-string" || type === "any" ? "" : type;
