import { labelValueProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, required } from "../../lib/status.ts";
import type { MetaV1LabelSelector, MetaV1LabelSelectorRequirement } from "../generated/types.ts";
import { invalidFor, type Problems, validateLabels } from "./fields.ts";

export function* validateLabelSelector(selector: MetaV1LabelSelector | null | undefined, field: string): Problems {
  if (!selector) return;
  yield* validateLabels(selector.matchLabels, `${field}.matchLabels`);
  for (const [index, expression] of (selector.matchExpressions ?? []).entries())
    yield* validateRequirement(expression, `${field}.matchExpressions[${index}]`);
}

function* validateRequirement(requirement: MetaV1LabelSelectorRequirement, field: string): Problems {
  const { operator, key = "", values = [] } = requirement;
  if (operator === "In" || operator === "NotIn") {
    if (!values.length) yield required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length)
      yield forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else yield invalidValue(`${field}.operator`, operator ?? "", "not a valid selector operator");
  yield* invalidFor(`${field}.key`, key, qualifiedNameProblems(key));
  for (const [index, value] of values.entries())
    yield* invalidFor(`${field}.values[${index}]`, value, labelValueProblems(value));
}

/** Selects everything: no terms at all. */
export const isEmptySelector = (selector: MetaV1LabelSelector): boolean =>
  !Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length;
