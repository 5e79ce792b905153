import type { Environment } from "@marcbachmann/cel-js";
import { CelError } from "./program.ts";

type Comparable = bigint | number | string | boolean | Date;

const compare = (a: Comparable, b: Comparable): number => (a < b ? -1 : a > b ? 1 : 0);

function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null)
    return typeof a === typeof b ? a === b : Number(a) === Number(b);
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length && left.every(([name, value]) => equal(value, (b as Record<string, unknown>)[name]))
  );
}

function sum(list: readonly (bigint | number)[]): bigint | number {
  const [first, ...rest] = list;
  if (first === undefined) return 0n;
  return rest.reduce((total, item) => (total as bigint) + (item as bigint), first);
}

function extreme(list: readonly Comparable[], sign: number, name: string): Comparable {
  if (!list.length) throw new CelError(`${name} called on empty list`);
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best));
}

const contains = (list: readonly unknown[], item: unknown) => list.some((other) => equal(other, item));
const includesAll = (list: readonly unknown[], others: readonly unknown[]) =>
  others.every((item) => contains(list, item));

function slice(list: readonly unknown[], from: bigint, to: bigint): unknown[] {
  const [start, end] = [Number(from), Number(to)];
  if (start < 0 || end > list.length || start > end)
    throw new CelError(`cannot slice(${start}, ${end}), list is length ${list.length}`);
  return list.slice(start, end);
}

const distinct = (list: readonly unknown[]) =>
  list.filter((item, index) => list.findIndex((other) => equal(other, item)) === index);

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library, cel-go's sets and lists extensions */
export function registerLists(environment: Environment): void {
  class Sets {}
  environment
    .registerFunction("list.isSorted(): bool", (list: readonly Comparable[]) =>
      list.every((item, index) => index === 0 || compare(list[index - 1] as Comparable, item) <= 0),
    )
    .registerFunction("list.sum(): dyn", sum)
    .registerFunction("list.min(): dyn", (list: readonly Comparable[]) => extreme(list, -1, "min"))
    .registerFunction("list.max(): dyn", (list: readonly Comparable[]) => extreme(list, 1, "max"))
    .registerFunction("list.indexOf(dyn): int", (list: readonly unknown[], item: unknown) =>
      BigInt(list.findIndex((other) => equal(other, item))),
    )
    .registerFunction("list.lastIndexOf(dyn): int", (list: readonly unknown[], item: unknown) =>
      BigInt(list.findLastIndex((other) => equal(other, item))),
    )
    .registerFunction("list.slice(int, int): list<dyn>", slice)
    .registerFunction("list.distinct(): list<dyn>", distinct)
    .registerFunction("list.reverse(): list<dyn>", (list: readonly unknown[]) => list.toReversed())
    .registerFunction("list.sort(): list<dyn>", (list: readonly Comparable[]) => list.toSorted(compare))
    .registerFunction("list.flatten(): list<dyn>", (list: readonly unknown[]) => list.flat())
    .registerType("SetsNamespace", Sets)
    .registerConstant("sets", "SetsNamespace", new Sets())
    .registerFunction(
      "SetsNamespace.contains(list<dyn>, list<dyn>): bool",
      (_: Sets, list: readonly unknown[], others: readonly unknown[]) => includesAll(list, others),
    )
    .registerFunction(
      "SetsNamespace.equivalent(list<dyn>, list<dyn>): bool",
      (_: Sets, a: readonly unknown[], b: readonly unknown[]) => includesAll(a, b) && includesAll(b, a),
    )
    .registerFunction(
      "SetsNamespace.intersects(list<dyn>, list<dyn>): bool",
      (_: Sets, a: readonly unknown[], b: readonly unknown[]) => a.some((item) => contains(b, item)),
    );
}
