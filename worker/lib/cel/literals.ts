/** What can be seen to be wrong before anything is evaluated: literals that are no time, pattern or format. */
import type { Environment } from "./environment.ts";
import { CelError } from "./errors.ts";
import { type Clause, parseFormat, TAKES } from "./library/format-text.ts";
import { pattern } from "./library/patterns.ts";
import { type Call, childrenOf, type Expr, type Issue } from "./syntax.ts";
import { parseDuration, parseTimestamp } from "./times.ts";
import { equivalentTypes, formatType, isDyn, type Type, unwrapOptional } from "./types.ts";

export function literalProblems(expr: Expr, _environment: Environment): Issue[] {
  const issues: Issue[] = [];
  visit(expr, false, issues);
  return issues;
}

/** Arguments of `format` may be of any types. */
function visit(expr: Expr, isExempt: boolean, issues: Issue[]): void {
  if (expr.op === "call") issues.push(...callProblems(expr));
  if (expr.op === "list" && !isExempt) issues.push(...listProblems(expr));
  if (expr.op === "map" && !isExempt) issues.push(...mapProblems(expr));
  const within = isExempt || (expr.op === "call" && expr.name === "format");
  for (const child of new Set(childrenOf(expr))) visit(child, within, issues);
}

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: isPattern,
};

function isPattern(text: string): boolean {
  try {
    pattern(text);
    return true;
  } catch {
    return false;
  }
}

function* callProblems(expr: Expr & Call): Iterable<Issue> {
  const [first] = expr.args;
  const check = Object.hasOwn(CHECKS, expr.name) ? CHECKS[expr.name] : undefined;
  if (check && first?.op === "literal" && typeof first.value === "string" && !check(first.value))
    yield { at: first.at, message: `invalid ${expr.name} argument` };
  if (expr.name === "format" && expr.target?.op === "literal" && typeof expr.target.value === "string")
    if (first?.op === "list") yield* formatProblems(expr.at, expr.target.value, first.items);
}

function* formatProblems(at: number, template: string, args: readonly Expr[]): Iterable<Issue> {
  try {
    const clauses = parseFormat(template, () => undefined).filter((part) => typeof part !== "string") as Clause[];
    for (const [index, { verb }] of clauses.entries()) {
      const arg = args[index];
      if (!arg) throw new CelError(`index ${index} out of range`);
      const { kinds, complaint } = TAKES[verb.toLowerCase()] as { kinds: readonly string[]; complaint: string };
      const type = arg.type as Type;
      if (isDyn(type) || kinds.includes(type.kind)) continue;
      const message = `error during formatting: ${complaint}, was given ${type.name}`;
      yield { at: arg.at, message };
      return;
    }
    if (args.length > clauses.length)
      yield {
        at,
        message: `too many arguments supplied to string.format (expected ${clauses.length}, got ${args.length})`,
      };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    yield { at, message: error.message };
  }
}

const mismatch = (expr: Expr, wanted: Type, found: Type): Issue => ({
  at: expr.at,
  message: `expected type '${formatType(wanted)}' but found '${formatType(found)}'`,
});

function* listProblems({ items, optional }: Expr & { op: "list" }): Iterable<Issue> {
  let wanted: Type | undefined;
  for (const [index, item] of items.entries()) {
    const type = optional.has(index) ? unwrapOptional(item.type as Type) : (item.type as Type);
    wanted ??= type;
    if (equivalentTypes(wanted, type)) continue;
    yield mismatch(item, wanted, type);
    return;
  }
}

function* mapProblems({ entries }: Expr & { op: "map" }): Iterable<Issue> {
  const [first] = entries;
  if (!first) return;
  const valueType = (entry: typeof first) =>
    entry.isOptional ? unwrapOptional(entry.value.type as Type) : (entry.value.type as Type);
  const [keys, values] = [first.key.type as Type, valueType(first)];
  for (const entry of entries) {
    if (!equivalentTypes(keys, entry.key.type as Type)) yield mismatch(entry.key, keys, entry.key.type as Type);
    if (!equivalentTypes(values, valueType(entry))) yield mismatch(entry.value, values, valueType(entry));
  }
}
