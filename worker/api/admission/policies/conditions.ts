import { CelError, type Program } from "../../../lib/cel/program.ts";
import { forbidden } from "../../../lib/status.ts";
import type { Operation } from "../../engine/operation.ts";
import { subjectOf } from "../../engine/stored.ts";
import type { Variables } from "./variables.ts";

type Conditioned = { name: string; failurePolicy?: string };

/**
 * Whether all conditions hold. One that is false settles it, whatever others fail; failing ones refuse the write where
 * the failure policy says so, else they exclude it.
 */
export function conditionsHold(
  programs: readonly Program[],
  variables: Variables,
  { name, failurePolicy }: Conditioned,
  operation: Operation,
): boolean {
  let failed: CelError | undefined;
  for (const program of programs) {
    try {
      if (program.evaluate(variables) !== true) return false;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      failed ??= error;
    }
  }
  if (!failed) return true;
  if (failurePolicy === "Ignore") return false;
  throw forbidden(
    subjectOf(operation.kind, operation.name),
    `match conditions of ${JSON.stringify(name)} could not be evaluated: ${failed.message}`,
  );
}
