import { percentProblems } from "../../lib/names.ts";
import { invalidValue } from "../../lib/status.ts";
import { invalidFor, notNegative, type Problems } from "./fields.ts";

export type IntOrString = number | string;

/** A count or a share, neither negative. */
export function* validateIntOrPercent(field: string, value: IntOrString): Problems {
  if (typeof value === "string") yield* invalidFor(field, value, percentProblems(value));
  else yield* notNegative(field, value);
}

const percentOf = (value: IntOrString): number | undefined =>
  typeof value === "string" && percentProblems(value).length === 0 ? Number(value.slice(0, -1)) : undefined;

export function* validateAtMostAll(field: string, value: IntOrString): Problems {
  if ((percentOf(value) ?? 0) > 100) yield invalidValue(field, value, "must not be greater than 100%");
}

/** 0 where it is 0 or 0%, and for what is no percentage. */
export const plainValue = (value: IntOrString | undefined): number =>
  typeof value === "number" ? value : (percentOf(value ?? "") ?? 0);
