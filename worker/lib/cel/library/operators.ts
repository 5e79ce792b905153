/** Operators. https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions */
import { defaultCost } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { int, uint } from "../numbers.ts";
import { fixed, scale } from "../ranges.ts";
import { checkedDuration, checkedTimestamp } from "../times.ts";
import { sameType } from "../types.ts";
import {
  type CelDuration,
  type CelMap,
  CelObject,
  type CelTimestamp,
  type CelUint,
  equal,
  hasKey,
  KeyedList,
  keyValue,
  ordered,
} from "../values.ts";

type Nanos = CelTimestamp | CelDuration;

const OBJECTS = /^(?:net\.(?:IP|CIDR)|kubernetes\..*)$/;

/** Objects of libraries are compared at once; urls and formats by their text. */
const equality: Costs = {
  cost: (args) => (args[0] instanceof CelObject ? 1 : defaultCost("equals", args)),
  estimate([a, b]) {
    if (!a || !b || !sameType(a.type, b.type) || !OBJECTS.test(a.type.name)) return undefined;
    if (a.type.name === "kubernetes.NamedFormat") return { cost: { min: 1, max: 7 } };
    if (a.type.name === "kubernetes.URL") return { cost: scale({ min: 1, max: b.size?.max ?? 1 }, 0.1) };
    return { cost: fixed(1) };
  },
};

export const operators = new Library()
  .add("_?_:_(bool, A, A): A", "conditional")
  .add("_&&_(bool, bool): bool", "logical_and")
  .add("_||_(bool, bool): bool", "logical_or")
  .add("!_(bool): bool", "logical_not", (value: boolean) => !value)
  .add("@not_strictly_false(bool): bool", "not_strictly_false")
  .add("_[_](list(A), int): A", "index_list")
  .add("_[_](map(A, B), A): B", "index_map")
  .add("_[_](optional(list(V)), int): optional(V)", "optional_list_index_int")
  .add("_[_](optional(map(K, V)), K): optional(V)", "optional_map_index_value")
  .add("_[?_](list(V), int): optional(V)", "list_optindex_optional_int")
  .add("_[?_](optional(list(V)), int): optional(V)", "optional_list_optindex_optional_int")
  .add("_[?_](map(K, V), K): optional(V)", "map_optindex_optional_value")
  .add("_[?_](optional(map(K, V)), K): optional(V)", "optional_map_optindex_optional_value")
  .add("_==_(A, A): bool", "equals", equal, equality)
  .add("_!=_(A, A): bool", "not_equals", (a: unknown, b: unknown) => !equal(a, b))
  .add("@in(A, list(A)): bool", "in_list", (value: unknown, list: readonly unknown[]) =>
    list.some((item) => equal(item, value)),
  )
  .add("@in(A, map(A, B)): bool", "in_map", (value: unknown, map: CelMap) => hasKey(map, keyValue(value)));

operators
  .add("_+_(bytes, bytes): bytes", "add_bytes", (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]))
  .add("_+_(double, double): double", "add_double", (a: number, b: number) => a + b)
  .add("_+_(duration, duration): duration", "add_duration_duration", (a: Nanos, b: Nanos) =>
    checkedDuration(a.nanos + b.nanos),
  )
  .add("_+_(duration, timestamp): timestamp", "add_duration_timestamp", (a: CelDuration, b: CelTimestamp) =>
    checkedTimestamp(a.nanos + b.nanos, b.zone),
  )
  .add("_+_(timestamp, duration): timestamp", "add_timestamp_duration", (a: CelTimestamp, b: CelDuration) =>
    checkedTimestamp(a.nanos + b.nanos, a.zone),
  )
  .add("_+_(int, int): int", "add_int64", (a: bigint, b: bigint) => int(a + b))
  .add("_+_(list(A), list(A)): list(A)", "add_list", concatenate)
  .add("_+_(string, string): string", "add_string", (a: string, b: string) => a + b)
  .add("_+_(uint, uint): uint", "add_uint64", (a: CelUint, b: CelUint) => uint(a.value + b.value))
  .add("_/_(double, double): double", "divide_double", (a: number, b: number) => a / b)
  .add("_/_(int, int): int", "divide_int64", (a: bigint, b: bigint) => int(a / divisor(b, "division")))
  .add("_/_(uint, uint): uint", "divide_uint64", (a: CelUint, b: CelUint) =>
    uint(a.value / divisor(b.value, "division")),
  )
  .add("_%_(int, int): int", "modulo_int64", (a: bigint, b: bigint) => int(a % divisor(b, "modulus")))
  .add("_%_(uint, uint): uint", "modulo_uint64", (a: CelUint, b: CelUint) =>
    uint(a.value % divisor(b.value, "modulus")),
  )
  .add("_*_(double, double): double", "multiply_double", (a: number, b: number) => a * b)
  .add("_*_(int, int): int", "multiply_int64", (a: bigint, b: bigint) => int(a * b))
  .add("_*_(uint, uint): uint", "multiply_uint64", (a: CelUint, b: CelUint) => uint(a.value * b.value))
  .add("-_(double): double", "negate_double", (a: number) => -a)
  .add("-_(int): int", "negate_int64", (a: bigint) => int(-a))
  .add("_-_(double, double): double", "subtract_double", (a: number, b: number) => a - b)
  .add("_-_(duration, duration): duration", "subtract_duration_duration", (a: Nanos, b: Nanos) =>
    checkedDuration(a.nanos - b.nanos),
  )
  .add("_-_(int, int): int", "subtract_int64", (a: bigint, b: bigint) => int(a - b))
  .add("_-_(timestamp, duration): timestamp", "subtract_timestamp_duration", (a: CelTimestamp, b: CelDuration) =>
    checkedTimestamp(a.nanos - b.nanos, a.zone),
  )
  .add("_-_(timestamp, timestamp): duration", "subtract_timestamp_timestamp", (a: Nanos, b: Nanos) =>
    checkedDuration(a.nanos - b.nanos),
  )
  .add("_-_(uint, uint): uint", "subtract_uint64", (a: CelUint, b: CelUint) => uint(a.value - b.value));

function divisor(value: bigint, what: string): bigint {
  if (value === 0n) throw new CelError(`${what} by zero`);
  return value;
}

/** Lists with keys are merged: what stands in both takes the second's value, at the first's place. */
function concatenate(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  const keyed = a instanceof KeyedList ? a : undefined;
  if (!keyed) return [...a, ...b];
  const merged = [...a];
  for (const item of b) {
    const key = keyed.keyOf(item);
    const at = merged.findIndex((other) => equal(keyed.keyOf(other), key));
    if (at < 0) merged.push(item);
    else merged[at] = item;
  }
  return KeyedList.keyed(merged, keyed.keyOf);
}

const ORDERED = ["bool", "int64", "int64 double", "int64 uint64", "uint64", "uint64 double", "uint64 int64"];
ORDERED.push("double", "double int64", "double uint64", "string", "bytes", "timestamp", "duration");

const RELATIONS: readonly [string, string, (order: number) => boolean][] = [
  ["_<_", "less", (order) => order < 0],
  ["_<=_", "less_equals", (order) => order <= 0],
  ["_>_", "greater", (order) => order > 0],
  ["_>=_", "greater_equals", (order) => order >= 0],
];

for (const [name, id, holds] of RELATIONS)
  for (const types of ORDERED) {
    const [left = "", right = left] = types.split(" ").map((type) => type.replace("64", ""));
    operators.add(`${name}(${left}, ${right}): bool`, `${id}_${types.replace(" ", "_")}`, (a: unknown, b: unknown) =>
      holds(ordered(a, b)),
    );
  }
