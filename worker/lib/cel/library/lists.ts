/** Kubernetes' lists and cel-go's, version 3, and sets. https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library */
import { sizeOf as actualSize } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { literalInt } from "../estimate.ts";
import { int, uint } from "../numbers.ts";
import { add, fixed, MAX, multiply, scale } from "../ranges.ts";
import { checkedDuration } from "../times.ts";
import { CelDuration, CelUint, equal, ordered } from "../values.ts";
import { indexCosts, madeCost, madeEstimate, ofMadeSize, selfCompareCost } from "./list-costs.ts";

type List = readonly unknown[];

function extreme(list: List, sign: number, name: string): unknown {
  if (!list.length) throw new CelError(`${name} called on empty list`);
  return list.reduce((best, item) => (ordered(item, best) * sign > 0 ? item : best));
}

const contains = (list: List, item: unknown) => list.some((other) => equal(other, item));
const includesAll = (list: List, others: List) => others.every((item) => contains(list, item));

function slice(list: List, start: bigint, end: bigint): unknown[] {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) throw new CelError(`${call}, negative indexes not supported`);
  if (start > end) throw new CelError(`${call}, start index must be less than or equal to end index`);
  if (BigInt(list.length) < end) throw new CelError(`${call}, list is length ${list.length}`);
  return list.slice(Number(start), Number(end));
}

function flatten(list: List, depth: bigint): unknown[] {
  if (depth < 0n) throw new CelError("level must be non-negative");
  return list.flatMap((item) => (Array.isArray(item) && depth > 0n ? flatten(item, depth - 1n) : [item]));
}

const distinct = (list: List) => list.filter((item, at) => list.findIndex((other) => equal(other, item)) === at);

function sortedBy(list: List, keys: List): unknown[] {
  if (list.length !== keys.length)
    throw new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.length} and ${keys.length} elements respectively`,
    );
  return keys
    .map((key, index) => ({ key, item: list[index] }))
    .toSorted((a, b) => ordered(a.key, b.key))
    .map(({ item }) => item);
}

function range(count: bigint): bigint[] {
  return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index));
}

const isSorted = (list: List) => list.every((item, index) => index === 0 || ordered(list[index - 1], item) <= 0);

export const lists = new Library();

const COMPARABLE = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];
for (const type of COMPARABLE)
  lists.add(`list(${type})::isSorted(): bool`, `list_${type}_is_sorted_bool`, isSorted, indexCosts);
lists
  .add(
    "list(int)::sum(): int",
    "list_int_sum_int",
    (list: bigint[]) => list.reduce((a, b) => int(a + b), 0n),
    indexCosts,
  )
  .add(
    "list(uint)::sum(): uint",
    "list_uint_sum_uint",
    (list: CelUint[]) => list.reduce((a, b) => uint(a.value + b.value), new CelUint(0n)),
    indexCosts,
  )
  .add(
    "list(double)::sum(): double",
    "list_double_sum_double",
    (list: number[]) => list.reduce((a, b) => a + b, 0),
    indexCosts,
  )
  .add(
    "list(duration)::sum(): duration",
    "list_duration_sum_duration",
    (list: CelDuration[]) => list.reduce((a, b) => checkedDuration(a.nanos + b.nanos), new CelDuration(0n)),
    indexCosts,
  );
for (const type of COMPARABLE)
  for (const [name, sign] of [
    ["max", 1],
    ["min", -1],
  ] as const)
    lists.add(
      `list(${type})::${name}(): ${type}`,
      `list_${type}_${name}_${type}`,
      (list: List) => extreme(list, sign, name),
      indexCosts,
    );
lists
  .add(
    "list(A)::indexOf(A): int",
    "list_a_index_of_int",
    (list: List, item: unknown) => BigInt(list.findIndex((other) => equal(other, item))),
    indexCosts,
  )
  .add(
    "list(A)::lastIndexOf(A): int",
    "list_a_last_index_of_int",
    (list: List, item: unknown) => BigInt(list.findLastIndex((other) => equal(other, item))),
    indexCosts,
  );

const flattening: Costs = {
  cost: ([list, depth]) => madeCost(depth === undefined ? 1 : Number(depth), actualSize(list)),
  estimate([list, depth], sizeOf) {
    if (!list) return undefined;
    return madeEstimate(depth ? (literalInt(depth) ?? MAX) : 1, sizeOf(list));
  },
};

/** `item` is where the compared items are: the list itself, or its keys. */
const comparing = (factor: number, item: 0 | 1): Costs => ({
  cost: (args) => selfCompareCost(args[item] as List),
  estimate(nodes, sizeOf) {
    const node = nodes[item];
    if (!node) return undefined;
    const size = sizeOf(node);
    return madeEstimate(factor, multiply(size, size));
  },
});

lists
  .add("list(T)::slice(int, int): list(T)", "list_slice", slice, {
    cost: ofMadeSize,
    estimate([list, start, end], sizeOf) {
      if (!list || !start || !end) return undefined;
      const length = (literalInt(end) ?? sizeOf(list).max) - (literalInt(start) ?? 0);
      return madeEstimate(1, fixed(length < 0 ? MAX : length));
    },
  })
  .add("list(list(T))::flatten(): list(T)", "list_flatten", (list: List) => flatten(list, 1n), flattening)
  .add("list(dyn)::flatten(int): list(dyn)", "list_flatten_int", flatten, flattening)
  .add("lists.range(int): list(int)", "lists_range", range, {
    cost: ofMadeSize,
    estimate: ([count]) => count && madeEstimate(1, fixed(literalInt(count) ?? MAX)),
  })
  .add("list(T)::reverse(): list(T)", "list_reverse", (list: List) => [...list].reverse(), {
    cost: ofMadeSize,
    estimate: ([list], sizeOf) => list && madeEstimate(1, sizeOf(list)),
  })
  .add("list(T)::distinct(): list(T)", "list_distinct", distinct, comparing(2, 0));

for (const type of COMPARABLE) {
  const factor = type === "string" || type === "bytes" ? 2.1 : 2;
  lists
    .add(
      `list(${type})::sort(): list(${type})`,
      `list_${type}_sort`,
      (list: List) => [...list].sort(ordered),
      comparing(factor, 0),
    )
    .add(
      `list(T)::@sortByAssociatedKeys(list(${type})): list(T)`,
      `list_${type}_sortByAssociatedKeys`,
      sortedBy,
      comparing(factor, 1),
    );
}

const setCosts = (factor: number): Costs => ({
  cost: ([a, b]) => 1 + Math.floor(actualSize(a) * actualSize(b) * factor),
  estimate([a, b], sizeOf) {
    if (!a || !b) return undefined;
    return { cost: add(scale(multiply(sizeOf(a), sizeOf(b)), factor), fixed(1)) };
  },
});

/** https://pkg.go.dev/github.com/google/cel-go/ext#Sets */
export const sets = new Library()
  .add("sets.contains(list(T), list(T)): bool", "list_sets_contains_list", includesAll, setCosts(1))
  .add(
    "sets.equivalent(list(T), list(T)): bool",
    "list_sets_equivalent_list",
    (a: List, b: List) => includesAll(a, b) && includesAll(b, a),
    setCosts(2),
  )
  .add(
    "sets.intersects(list(T), list(T)): bool",
    "list_sets_intersects_list",
    (a: List, b: List) => a.some((item) => contains(b, item)),
    setCosts(1),
  );
