import { type Compiled, evaluate, MAX_CONDITIONS_COST, OutOfBudget } from "./evaluation.ts";
import type { Variables } from "./variables.ts";

/** Whether all conditions hold, or why that cannot be said. */
export type Holding = { holds: boolean; error?: string };

/**
 * One that is false settles it, whatever others fail. What could not be evaluated is for the failure policy: it either
 * counts as an error or as no match.
 */
export function conditionsHold(
  conditions: readonly Compiled[],
  variables: Variables,
  failurePolicy: string | undefined,
): Holding {
  const errors: string[] = [];
  try {
    const spending = { left: MAX_CONDITIONS_COST };
    const outcomes = conditions.map((condition) => evaluate(condition, variables, spending));
    for (const { value, error } of outcomes) {
      if (value === false) return { holds: false };
      if (error !== undefined) errors.push(error);
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    errors.push(error.message);
  }
  if (!errors.length) return { holds: true };
  if (failurePolicy === "Ignore") return { holds: false };
  const unique = [...new Set(errors)];
  return { holds: false, error: unique.length === 1 ? (unique[0] as string) : `[${unique.join(", ")}]` };
}
