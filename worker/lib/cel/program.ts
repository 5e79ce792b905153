/**
 * Expressions in the Common Expression Language, as Kubernetes has it: compiled and type-checked once, evaluated within
 * a budget. https://kubernetes.io/docs/reference/using-api/cel/
 */
import { type Environment, EvaluationError, ParseError, TypeError as TypeCheckError } from "@marcbachmann/cel-js";

/** What is wrong with an expression, or why it has no value. */
export class CelError extends Error {
  override readonly name = "CelError";
}

export type Program = {
  /** `bool`, `string`, `dyn`, … */
  readonly type: string;
  /** True when the expression reads this variable. */
  mentions(variable: string): boolean;
  /** Throws CelError when there is no value, also when more than `budget` steps would be needed. */
  evaluate(variables: Readonly<Record<string, unknown>>, budget?: Budget): unknown;
};

/** Steps of loops that may still be made; several evaluations may share one. */
export type Budget = { steps: number };

/** As many as take about a tenth of a second. */
export const MAX_STEPS = 1_000_000;
const MAX_CHARACTERS = 100_000;

/** A node of the library's syntax tree, as far as it is looked into here. */
type Node = { op: string; args: unknown; meta?: { alternate?: Node }; evaluate: Evaluate };
type Evaluate = (evaluator: unknown, node: Node, context: unknown) => unknown;

/** Throws CelError for what does not parse or does not type-check. */
export function compile(environment: Environment, expression: string): Program {
  if (expression.length > MAX_CHARACTERS) throw new CelError("the expression is too long");
  const parsed = guarded(() => environment.parse(expression));
  const running: { budget: Budget } = { budget: { steps: 0 } };
  const names = new Set<string>();
  walk(parsed.ast as unknown as Node, (node) => {
    if (node.op === "id") names.add(String(node.args));
    useLinearPatterns(node);
    countSteps(node, running);
  });
  const checked = parsed.check();
  if (!checked.valid) throw new CelError(summaryOf(checked.error));
  return {
    type: checked.type ?? "dyn",
    mentions: (variable) => names.has(variable),
    evaluate(variables, budget = { steps: MAX_STEPS }) {
      running.budget = budget;
      return guarded(() => parsed({ ...variables }) as unknown);
    },
  };
}

function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof CelError) throw error;
    if (error instanceof ParseError || error instanceof EvaluationError || error instanceof TypeCheckError)
      throw new CelError(summaryOf(error));
    throw new CelError(error instanceof Error ? error.message : String(error));
  }
}

const summaryOf = (error: unknown): string =>
  (error as { summary?: string }).summary ?? (error instanceof Error ? error.message : String(error));

function walk(node: unknown, visit: (node: Node) => void, seen = new Set<unknown>()): void {
  if (typeof node !== "object" || node === null || seen.has(node)) return;
  seen.add(node);
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit, seen);
    return;
  }
  const { op, args, meta } = node as Node;
  if (typeof op === "string") visit(node as Node);
  walk(args, visit, seen);
  if (meta?.alternate) walk(meta.alternate, visit, seen);
  if (typeof op !== "string") for (const value of Object.values(node)) walk(value, visit, seen);
}

/** The library's `matches` takes time without bound for some patterns; ours is linear. */
function useLinearPatterns({ op, args }: Node): void {
  if ((op === "rcall" || op === "call") && Array.isArray(args) && args[0] === "matches") args[0] = "matchesRE2";
}

/** Each round of a loop costs a step. */
function countSteps({ op, args }: Node, running: { budget: Budget }): void {
  if (op !== "comprehension") return;
  const { step } = args as { step: Node };
  // The library replaces a node's `evaluate` by a faster one at its first use.
  let inner: Evaluate = step.evaluate;
  const counted: Evaluate = (evaluator, node, context) => {
    if (--running.budget.steps < 0) throw new CelError("operation cancelled: actual cost limit exceeded");
    return inner.call(step, evaluator, node, context);
  };
  Object.defineProperty(step, "evaluate", {
    get: () => counted,
    set: (value: Evaluate) => {
      inner = value;
    },
  });
}
