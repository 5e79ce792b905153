import { compareQuantities, formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { duplicate, forbiddenField, invalidValue, required } from "../../lib/status.ts";
import type { CoreV1LimitRange, CoreV1LimitRangeItem } from "../generated/types.ts";
import type { Problems } from "./fields.ts";
import { validateQuantity, validateResourceName } from "./resources.ts";

type List = "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio";
const LISTS: readonly List[] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

export function* validateLimitRange({ spec }: CoreV1LimitRange): Problems {
  const types = new Set<string>();
  for (const [index, item] of (spec?.limits ?? []).entries()) {
    const at = `spec.limits[${index}]`;
    if (!item.type) yield required(`${at}.type`);
    if (types.has(item.type)) yield duplicate(`${at}.type`, item.type);
    types.add(item.type);
    yield* validateItem(item, at);
  }
}

function* validateItem(item: CoreV1LimitRangeItem, field: string): Problems {
  for (const list of LISTS)
    for (const [name, amount] of Object.entries(item[list] ?? {})) {
      yield* validateResourceName(name, `${field}.${list}[${name}]`);
      yield* validateQuantity(name, amount, `${field}.${list}[${name}]`);
    }
  if (item.type === "Pod")
    for (const list of ["default", "defaultRequest"] as const)
      if (Object.keys(item[list] ?? {}).length)
        yield forbiddenField(`${field}.${list}`, "may not be specified when `type` is 'Pod'");
  if (item.type === "PersistentVolumeClaim" && !item.min?.storage && !item.max?.storage)
    yield required(`${field}.limits`, "either minimum or maximum storage value is required, but neither was provided");
  const names = new Set(LISTS.flatMap((list) => Object.keys(item[list] ?? {})));
  for (const name of [...names].sort()) yield* validateOrder(item, name, field);
}

/** Which amounts may not be above which, what the first is called, and whose value the message shows. */
const orders: readonly { low: List; high: List; called: string; than: string; shows: List }[] = [
  { low: "min", high: "max", called: "min", than: "max", shows: "min" },
  { low: "min", high: "defaultRequest", called: "min", than: "default request", shows: "defaultRequest" },
  { low: "defaultRequest", high: "max", called: "default request", than: "max", shows: "defaultRequest" },
  { low: "defaultRequest", high: "default", called: "default request", than: "default limit", shows: "defaultRequest" },
  { low: "min", high: "default", called: "min", than: "default", shows: "min" },
  { low: "default", high: "max", called: "default", than: "max", shows: "max" },
];

function* validateOrder(item: CoreV1LimitRangeItem, name: string, field: string): Problems {
  for (const { low, high, called, than, shows } of orders) {
    const [less, more] = [item[low]?.[name], item[high]?.[name]];
    if (less === undefined || more === undefined) continue;
    const [a, b] = [parseQuantity(less), parseQuantity(more)];
    if (compareQuantities(a, b) <= 0) continue;
    const shown = shows === low ? a : b;
    const owner = shows === "max" ? low : shows;
    yield invalidValue(
      `${field}.${owner}[${name}]`,
      formatQuantity(shown),
      `${called} value ${formatQuantity(a)} is greater than ${than} value ${formatQuantity(b)}`,
    );
  }
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio !== undefined && compareQuantities(parseQuantity(ratio), parseQuantity("1")) < 0)
    yield invalidValue(`${field}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`);
}
