import type { FieldError } from "../../lib/status.ts";
import { invalid } from "../../lib/status.ts";
import { createProblems, updateProblems } from "./metadata-checks.ts";
import type { Operation } from "./operation.ts";
import { traitsOf } from "./traits.ts";
import { metadataProblems } from "./validate-metadata.ts";

/** Throws 422 with every problem of the object. */
export function validate({ kind, object, old, subresource, warnings }: Operation): void {
  const own = [...kind.validate(object)];
  const changes = old ? [...kind.validateUpdate(object, old, subresource)] : [...kind.validateCreate(object)];
  const problems: FieldError[] = [
    ...(old ? updateProblems(kind, object, old, subresource) : createProblems(kind, object)),
    ...(old && kind.changesFirst ? [...changes, ...own] : [...own, ...changes]),
  ];
  // What holds for all kinds comes last for a new object, so that a kind can say it in its own words.
  if (!old && problems.length === 0) problems.push(...metadataProblems(kind, object));
  if (problems.length)
    throw invalid(
      { group: traitsOf(kind).refusedGroup ?? kind.group, kind: kind.kind, name: object.metadata?.name ?? "" },
      problems,
    );
  warnings.push(...kind.warnings(object, old, subresource));
}
