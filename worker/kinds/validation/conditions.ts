import { byteLength } from "../../lib/bytes.ts";
import { patternProblem, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import type { MetaV1Condition } from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";

/** `metav1.Condition`, which newer kinds share. */
const STATUSES = ["False", "True", "Unknown"];
const REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const isReason = new RegExp(`^${REASON}$`);
const NOT_A_REASON = patternProblem(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  REASON,
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);
const MAX_REASON_BYTES = 1024;
const MAX_MESSAGE_BYTES = 32 * 1024;

export function* validateConditions(conditions: readonly MetaV1Condition[] | undefined, field: string): Problems {
  const types = new Set<string>();
  for (const [index, condition] of (conditions ?? []).entries()) {
    const at = `${field}[${index}]`;
    const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition;
    if (types.has(type)) yield duplicate(`${at}.type`, type);
    types.add(type);
    yield* invalidFor(`${at}.type`, type, qualifiedNameProblems(type));
    if (!STATUSES.includes(status)) yield notSupported(`${at}.status`, status, STATUSES);
    if (observedGeneration < 0)
      yield invalidValue(`${at}.observedGeneration`, observedGeneration, "must be greater than or equal to zero");
    if (!lastTransitionTime) yield required(`${at}.lastTransitionTime`);
    if (!reason) yield required(`${at}.reason`);
    else if (!isReason.test(reason)) yield invalidValue(`${at}.reason`, reason, NOT_A_REASON);
    if (byteLength(reason ?? "") > MAX_REASON_BYTES) yield tooLong(`${at}.reason`, MAX_REASON_BYTES);
    if (byteLength(message ?? "") > MAX_MESSAGE_BYTES) yield tooLong(`${at}.message`, MAX_MESSAGE_BYTES);
  }
}
