import { invalidValue } from "../../lib/status.ts";
import type { CoordinationV1Lease } from "../generated/types.ts";
import { notNegative, type Problems } from "./fields.ts";

export function* validateLease({ spec }: CoordinationV1Lease): Problems {
  const duration = spec?.leaseDurationSeconds;
  if (duration !== undefined && duration !== null && duration <= 0)
    yield invalidValue("spec.leaseDurationSeconds", duration, "must be greater than 0");
  yield* notNegative("spec.leaseTransitions", spec?.leaseTransitions);
}
