import { base64Encode } from "@bufbuild/protobuf/wire";
import fc, { type GeneratorValue } from "fast-check";
import { describe, expect, test } from "vitest";
import { isEmpty, leavesOutEmpty } from "../decode.ts";
import { definitions } from "../generated/schemas.ts";
import { builtinKinds } from "../registry.ts";
import type { Schema } from "../schema.ts";
import { schemaOf } from "../tables.ts";
import { decodeProtobuf, encodeProtobuf, hasProtobuf } from "./envelope.ts";
import { type Numbers, numbersOf } from "./numbers.ts";

const kinds = [...builtinKinds().all()];
const numbered = (numbers: Numbers | undefined): readonly (string | null)[] =>
  (numbers ?? []).flatMap((name) => (typeof name === "string" || name === null ? [name] : numbered(name)));

describe("the table of numbers", () => {
  test("has every kind and its list", () => {
    const without = kinds.flatMap(({ apiVersion, kind, listKind, verbs }) =>
      [kind, ...(verbs.includes("list") ? [listKind] : [])].filter((name) => !hasProtobuf({ apiVersion, kind: name })),
    );
    expect(without).toEqual([]);
  });

  test("has every field once, but for the apiVersion and kind of whole objects", () => {
    for (const name of Object.keys(definitions)) {
      const numbers = numbersOf(name);
      if (!numbers) continue;
      const names = numbered(numbers).filter((field) => field !== null);
      const fields = Object.keys(schemaOf(name).fields ?? {});
      const missing = fields.filter((field) => !names.includes(field));
      expect([name, new Set(names).size, missing.filter((field) => !/^(apiVersion|kind)$/.test(field))]).toEqual([
        name,
        names.length,
        [],
      ]);
    }
  });
});

/** Values in one object at most: some schemas hold themselves many times over. */
const MAX_VALUES = 150;
type Draw = { from: GeneratorValue; left: number };
const micros = (ms: number, rest: number) =>
  `${new Date(ms).toISOString().slice(0, 23)}${String(rest).padStart(3, "0")}Z`;
const timestamps = () => fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2200, 0) });

/** Strings of a form of their own. */
const FORMATS: Readonly<Record<string, (draw: GeneratorValue) => unknown>> = {
  byte: (draw) => base64Encode(draw(() => fc.uint8Array({ minLength: 1 }))),
  "date-time": (draw) => `${new Date(draw(timestamps)).toISOString().slice(0, 19)}Z`,
  "micro-time": (draw) =>
    micros(
      draw(timestamps),
      draw(() => fc.nat(999)),
    ),
  quantity: (draw) => draw(() => fc.constantFrom("0", "1500m", "1Gi", "-3")),
  "int-or-string": (draw) =>
    draw(() => fc.oneof(fc.string(), fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))),
  int32: (draw) => draw(() => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  int64: (draw) => draw(() => fc.maxSafeInteger()),
};

/** JSONSchemaProps' fields of two types. */
function choice(name: string, draw: Draw): unknown {
  if (draw.from(() => fc.boolean())) return value(schemaOf(name.replace(/Or\w+$/, "")), draw);
  if (name.endsWith("OrBool")) return draw.from(() => fc.boolean());
  return name.endsWith("OrArray") ? [{ type: "string" }] : draw.from(() => fc.array(fc.string(), { minLength: 1 }));
}

/** A random value as JSON has it, without what is the same as absent: null, empty lists and maps, `omitempty`. */
function value(schema: Schema, draw: Draw): unknown {
  const { type, format, items, name } = schema;
  const { from } = draw;
  draw.left--;
  if (format && FORMATS[format]) return FORMATS[format](from);
  if (type === "list" && items) return [value(items, draw), value(items, draw)];
  if (type === "map" && items) return { [from(() => fc.string())]: value(items, draw) };
  if (type === "string") return from(() => fc.string({ unit: "grapheme" }));
  if (type === "boolean") return from(() => fc.boolean());
  if (type === "number") return from(() => fc.double({ noNaN: true, noDefaultInfinity: true }));
  if (type !== "any") return object(schema, draw);
  return name?.includes("Or") ? choice(name, draw) : { [from(() => fc.string())]: from(() => fc.integer()) };
}

function object(schema: Schema, draw: Draw): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const numbers = new Set(numbered(numbersOf(schema.name ?? "")));
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    if (draw.left <= 0 || !numbers.has(name) || draw.from(() => fc.nat(2)) > 0) continue;
    const drawn = value(field, draw);
    if (!leavesOutEmpty(field) || !isEmpty(drawn)) result[name] = drawn;
  }
  return result;
}

describe("what is written is read back", () => {
  test.each(kinds.map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind] as const))("%s", (_, kind) => {
    fc.assert(
      fc.property(fc.gen(), (from) => {
        const { apiVersion, kind: name } = kind;
        const written = { ...object(kind.schema, { from, left: MAX_VALUES }), apiVersion, kind: name };
        expect(decodeProtobuf(encodeProtobuf(written))).toEqual(written);
      }),
      { numRuns: 4, seed: 11, endOnFailure: true },
    );
  });
});
