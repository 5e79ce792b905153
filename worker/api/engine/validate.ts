import type { FieldError } from "../../lib/status.ts";
import { invalid } from "../../lib/status.ts";
import type { Operation } from "./operation.ts";
import { metadataProblems, metadataUpdateProblems } from "./validate-metadata.ts";

/** Throws 422 with every problem of the object. */
export function validate({ kind, object, old, subresource, warnings }: Operation): void {
  // Its causes come twice, as kube-apiserver's do: from what all updates share, and from each kind's own strategy.
  const changed = old ? [...metadataUpdateProblems(object, old)] : [];
  const problems: FieldError[] = [...changed, ...changed, ...metadataProblems(kind, object), ...kind.validate(object)];
  if (old) problems.push(...kind.validateUpdate(object, old, subresource));
  else problems.push(...kind.validateCreate(object));
  if (problems.length)
    throw invalid({ group: kind.group, kind: kind.kind, name: object.metadata?.name ?? "" }, problems);
  warnings.push(...kind.warnings(object, old));
}
