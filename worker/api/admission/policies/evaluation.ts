import { compileFor, type Results } from "../../../kinds/admissionregistration/expressions.ts";
import type { Environment } from "../../../lib/cel/environment.ts";
import { type Budget, CelError, MAX_COST, type Program } from "../../../lib/cel/program.ts";

/** An expression of a policy: compiled, or why it cannot be. */
export type Compiled = { readonly expression: string; readonly program?: Program; readonly problem?: string };

export function compiled(environment: Environment, expression: string, results?: Results): Compiled {
  try {
    return { expression, program: compileFor(environment, expression, results) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { expression, problem: error.message };
  }
}

/** All expressions about one write together took too much; none is looked at any more. */
export class OutOfBudget extends CelError {
  constructor() {
    super("validation failed due to running out of cost budget, no further validation rules will be run");
  }
}

/** What may still be spent on one write; variables share it with what looks at them. */
export type Spending = { left: number };

/** What the expressions about one write may cost together, and those that only decide whether it is looked at. */
export const MAX_POLICY_COST = 10_000_000;
export const MAX_CONDITIONS_COST = 2_500_000;

export type Outcome = { value?: unknown; error?: string };

/** Throws OutOfBudget. */
export function evaluate(
  { expression, program, problem }: Compiled,
  variables: Readonly<Record<string, unknown>>,
  spending: Spending,
): Outcome {
  if (!program) return { error: `compilation error: ${problem}` };
  const { value, error } = attempt(program, variables, spending);
  return error ? { error: `expression '${expression}' resulted in error: ${error.message}` } : { value };
}

function attempt(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  spending: Spending,
): { value?: unknown; error?: CelError } {
  const budget: Budget = { cost: MAX_COST };
  let outcome: { value?: unknown; error?: CelError };
  try {
    outcome = { value: program.evaluate(variables, budget) };
  } catch (error) {
    if (!(error instanceof CelError) || error instanceof OutOfBudget) throw error;
    outcome = { error };
  }
  const cost = MAX_COST - budget.cost;
  if (cost > spending.left) throw new OutOfBudget();
  spending.left -= cost;
  return outcome;
}

export type CompiledVariables = readonly { readonly name: string; readonly compiled: Compiled }[];

/** Each variable gets its value when it is first looked at. */
export function lazily(
  declared: CompiledVariables,
  seen: Readonly<Record<string, unknown>>,
  spending: Spending,
): Readonly<Record<string, unknown>> {
  const variables: Record<string, unknown> = {};
  const all = { ...seen, variables };
  for (const { name, compiled: of } of declared) {
    let known: { value?: unknown; error?: CelError } | undefined;
    Object.defineProperty(variables, name, {
      enumerable: true,
      get() {
        known ??= ofVariable(name, of, all, spending);
        if (known.error) throw known.error;
        return known.value;
      },
    });
  }
  return variables;
}

function ofVariable(
  name: string,
  { program, problem }: Compiled,
  seen: Readonly<Record<string, unknown>>,
  spending: Spending,
): { value?: unknown; error?: CelError } {
  const fails = (how: string, why: string | undefined) => ({
    error: new CelError(`composited variable ${JSON.stringify(name)} fails to ${how}: ${why}`),
  });
  if (!program) return fails("compile", problem);
  const { value, error } = attempt(program, seen, spending);
  return error ? fails("evaluate", error.message) : { value };
}
