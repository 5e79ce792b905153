/**
 * Expressions in the Common Expression Language, as Kubernetes has it: compiled and type-checked once, evaluated within
 * a budget. https://kubernetes.io/docs/reference/using-api/cel/
 */
import { check } from "./checker.ts";
import type { Environment } from "./environment.ts";
import { CelError } from "./errors.ts";
import { estimateCost, type Sizes } from "./estimate.ts";
import { type Activation, type Budget, type Evaluate, plan, start } from "./evaluator.ts";
import { literalProblems } from "./literals.ts";
import { MACROS } from "./macros.ts";
import { parse } from "./parser.ts";
import type { Range } from "./ranges.ts";
import { type Expr, formatIssues, type Issue, walk } from "./syntax.ts";
import { DYN, type Type } from "./types.ts";

export { CelError, CostExceeded } from "./errors.ts";
export type { Budget } from "./evaluator.ts";

export type Program = {
  readonly type: Type;
  /** True when the expression reads this variable. */
  mentions(variable: string): boolean;
  /** Throws CelError when there is no value, also when more than `budget` would be spent. */
  evaluate(variables: Activation, budget?: Budget): unknown;
  /** What it may cost, where parts of the variables are as large as `sizes` says. */
  estimate(sizes?: Sizes): Range;
};

/** What one evaluation may cost. */
export const MAX_COST = 1_000_000;

/** Throws CelError for what does not parse or does not type-check; its message shows every place that is wrong. */
export function compile(environment: Environment, expression: string): Program {
  const { expr, issues } = parse(expression, MACROS);
  if (!expr) throw refused(expression, issues);
  const wrong = check(expr, environment);
  if (wrong.length) throw refused(expression, wrong);
  const invalid = literalProblems(expr, environment);
  if (invalid.length) throw refused(expression, invalid);
  const evaluate = planned(expr, environment);
  return {
    type: expr.type ?? DYN,
    mentions: (variable) => mentions(expr, variable),
    estimate: (sizes = () => undefined) => estimateCost(expr, environment, sizes),
    evaluate(variables, budget = { cost: MAX_COST }) {
      return evaluate(start(variables, budget));
    },
  };
}

const refused = (expression: string, issues: readonly Issue[]): CelError =>
  new CelError(`compilation failed: ${formatIssues(expression, issues)}`);

/** What is constant is computed here, and may have no value. */
function planned(expr: Expr, environment: Environment): Evaluate {
  try {
    return plan(expr, environment);
  } catch (error) {
    throw error instanceof CelError ? new CelError(`program instantiation failed: ${error.message}`) : error;
  }
}

function mentions(expr: Expr, variable: string): boolean {
  for (const part of walk(expr)) if (part.op === "ident" && part.name === variable) return true;
  return false;
}
