/** Optional values, and maps that loops build. https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes */
import { Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import {
  CelDuration,
  type CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  hasKey,
  isMap,
  keysOf,
  keyValue,
  mapSize,
  NONE,
  some,
  valueAt,
} from "../values.ts";

function isZero(value: unknown): boolean {
  if (value === null || value === "" || value === false || value === 0 || value === 0n) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelDuration) return value.nanos === 0n;
  if (value instanceof CelTimestamp) return false;
  if (value instanceof CelOptional) return value.held === undefined || isZero(value.held.value);
  return isMap(value) && mapSize(value) === 0;
}

function heldBy({ held }: CelOptional): unknown {
  if (!held) throw new CelError("optional.none() dereference");
  return held.value;
}

const present = (list: readonly CelOptional[]): unknown[] => list.flatMap(({ held }) => (held ? [held.value] : []));
const first = (list: readonly unknown[]) => (list.length ? some(list[0]) : NONE);
const last = (list: readonly unknown[]) => (list.length ? some(list.at(-1)) : NONE);

export const optionals = new Library()
  .add("optional.of(V): optional(V)", "optional_of", some)
  .add("optional.ofNonZeroValue(V): optional(V)", "optional_ofNonZeroValue", (value: unknown) =>
    isZero(value) ? NONE : some(value),
  )
  .add("optional.none(): optional(V)", "optional_none", () => NONE)
  .add("optional(V)::value(): V", "optional_value", heldBy)
  .add("optional(V)::hasValue(): bool", "optional_hasValue", ({ held }: CelOptional) => held !== undefined)
  .add("optional(V)::or(optional(V)): optional(V)", "optional_or_optional")
  .add("optional(V)::orValue(V): V", "optional_orValue_value")
  .add("list(V)::first(): optional(V)", "list_first", first)
  .add("list(V)::last(): optional(V)", "list_last", last)
  .add("optional.unwrap(list(optional(V))): list(V)", "optional_unwrap", present)
  .add("list(optional(V))::unwrapOpt(): list(V)", "optional_unwrapOpt", present);

function insert(map: CelMap, entries: Iterable<readonly [unknown, unknown]>): Map<unknown, unknown> {
  const grown = new Map(keysOf(map).map((key) => [key, valueAt(map, key)]));
  for (const [key, value] of entries) {
    if (hasKey(grown, key)) throw new CelError(`insert failed: key ${String(keyValue(key))} already exists`);
    grown.set(keyValue(key), value);
  }
  return grown;
}

export const comprehensions = new Library()
  .add(
    "cel.@mapInsert(map(K, V), K, V): map(K, V)",
    "@mapInsert_map_key_value",
    (map: CelMap, key: unknown, value: unknown) => insert(map, [[key, value]]),
  )
  .add("cel.@mapInsert(map(K, V), map(K, V)): map(K, V)", "@mapInsert_map_map", (map: CelMap, more: CelMap) =>
    insert(
      map,
      keysOf(more).map((key) => [key, valueAt(more, key)] as const),
    ),
  );
