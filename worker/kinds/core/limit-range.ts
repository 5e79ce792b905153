import { canonicalizeResources } from "../../lib/quantity.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1LimitRangeItem, Schemas } from "../generated/types.ts";
import { validateLimitRange } from "../validation/limit-range.ts";

/** https://kubernetes.io/docs/concepts/policy/limit-range/ */
export type LimitRange = Schemas["io.k8s.api.core.v1.LimitRange"];
export const LimitRange = defineKind({
  schema: "io.k8s.api.core.v1.LimitRange",
  default({ spec }) {
    for (const item of spec?.limits ?? []) defaultItem(item);
  },
  validate: validateLimitRange,
  columns: [nameColumn, createdColumn],
});

const LISTS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

/** A container's most is its usual limit, which is its usual request; where that is unknown, its least is. */
function defaultItem(item: CoreV1LimitRangeItem): void {
  for (const list of LISTS) canonicalizeResources(item[list]);
  if (item.type !== "Container") return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length) item.default = limits;
  if (Object.keys(requests).length) item.defaultRequest = requests;
}
