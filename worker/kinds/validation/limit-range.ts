import { qualifiedNameProblems } from "../../lib/names.ts";
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from "../../lib/quantity.ts";
import { duplicate, forbiddenField, invalidValue, required } from "../../lib/status.ts";
import type { CoreV1LimitRange, CoreV1LimitRangeItem } from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { mayOvercommit, validateContainerResourceName, validateResourceName } from "./resources.ts";

type List = "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio";
const TYPES = ["Container", "PersistentVolumeClaim", "Pod"];
const LISTS: readonly List[] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

export function* validateLimitRange({ spec }: CoreV1LimitRange): Problems {
  const types = new Set<string>();
  for (const [index, item] of (spec?.limits ?? []).entries()) {
    const at = `spec.limits[${index}]`;
    const wrongType = qualifiedNameProblems(item.type ?? "");
    yield* invalidFor(`${at}.type`, item.type ?? "", wrongType);
    if (!wrongType.length && !item.type.includes("/") && !TYPES.includes(item.type))
      yield invalidValue(`${at}.type`, item.type, "must be a standard limit type or fully qualified");
    if (types.has(item.type)) yield duplicate(`${at}.type`, item.type);
    types.add(item.type);
    yield* validateItem(item, at);
  }
}

function* validateItem(item: CoreV1LimitRangeItem, field: string): Problems {
  const ofPods = item.type === "Pod" || item.type === "Container";
  const validateName = ofPods ? validateContainerResourceName : validateResourceName;
  for (const list of LISTS) {
    if (
      list === "maxLimitRequestRatio" &&
      item.type === "PersistentVolumeClaim" &&
      !item.min?.storage &&
      !item.max?.storage
    )
      yield required(
        `${field}.limits`,
        "either minimum or maximum storage value is required, but neither was provided",
      );
    const given = Object.keys(item[list] ?? {}).sort();
    if (item.type === "Pod" && list.startsWith("default")) {
      if (given.length) yield forbiddenField(`${field}.${list}`, "may not be specified when `type` is 'Pod'");
    } else for (const name of given) yield* validateName(name, `${field}.${list}[${name}]`);
  }
  const names = new Set(LISTS.flatMap((list) => Object.keys(item[list] ?? {})));
  for (const name of [...names].sort()) yield* validateOrder(item, name, field);
}

/** Which amounts may not be above which, what the first is called, and whose value the message shows. */
const orders: readonly { low: List; high: List; called: string; than: string; shows: List; owner?: List }[] = [
  { low: "min", high: "max", called: "min", than: "max", shows: "min" },
  { low: "min", high: "defaultRequest", called: "min", than: "default request", shows: "defaultRequest" },
  { low: "defaultRequest", high: "max", called: "default request", than: "max", shows: "defaultRequest" },
  { low: "defaultRequest", high: "default", called: "default request", than: "default limit", shows: "defaultRequest" },
  { low: "min", high: "default", called: "min", than: "default", shows: "min", owner: "default" },
  { low: "default", high: "max", called: "default", than: "max", shows: "max" },
];

function* validateOrder(item: CoreV1LimitRangeItem, name: string, field: string): Problems {
  for (const { low, high, called, than, shows, owner = shows === "max" ? low : shows } of orders) {
    const [less, more] = [item[low]?.[name], item[high]?.[name]];
    if (less === undefined || more === undefined) continue;
    const [a, b] = [parseQuantity(less), parseQuantity(more)];
    if (compareQuantities(a, b) <= 0) continue;
    const shown = shows === low ? a : b;
    yield invalidValue(
      `${field}.${owner}[${name}]`,
      formatQuantity(shown),
      `${called} value ${formatQuantity(a)} is greater than ${than} value ${formatQuantity(b)}`,
    );
  }
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio !== undefined)
    yield* validateRatio(item, name, parseQuantity(ratio), `${field}.maxLimitRequestRatio[${name}]`);
  const [limit, request] = [item.default?.[name], item.defaultRequest?.[name]];
  if (mayOvercommit(name) || item.type === "Pod" || limit === undefined || request === undefined) return;
  const [a, b] = [limit, request].map((amount) => formatQuantity(parseQuantity(amount)));
  if (a !== b)
    yield invalidValue(
      `${field}.defaultRequest[${name}]`,
      b,
      `default value ${a} must equal to defaultRequest value ${b} in ${name}`,
    );
}

const DIGITS = 6;

function* validateRatio(item: CoreV1LimitRangeItem, name: string, ratio: Quantity, field: string): Problems {
  const shown = formatQuantity(ratio);
  if (compareQuantities(ratio, parseQuantity("1")) < 0)
    yield invalidValue(field, shown, `ratio ${shown} is less than 1`);
  const [min, max] = [item.min?.[name], item.max?.[name]];
  if (min === undefined || max === undefined) return;
  const most = Number(parseQuantity(max).nano) / Number(parseQuantity(min).nano);
  if (Number(ratio.nano) / 1e9 > most)
    yield invalidValue(field, shown, `ratio ${shown} is greater than max/min = ${most.toFixed(DIGITS)}`);
}
