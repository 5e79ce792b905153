import { expect, test } from "vitest";
import type { Schema } from "./schema.ts";
import { schemaOf } from "./tables.ts";
import { missingFields, validateSchema } from "./validate.ts";

const spec = (fields: Record<string, Schema>, rest: Partial<Schema> = {}): Schema => ({
  type: "object",
  fields: { spec: { type: "object", fields, ...rest } },
});
const problems = (schema: Schema, value: unknown) =>
  [...validateSchema(schema, { spec: value })].map((p) => `${p.reason.slice(10)} ${p.field}: ${p.message}`);

test("a value outside its bounds is told in CRD validation's words", () => {
  const schema = spec(
    {
      n: { type: "integer", minimum: 1, maximum: 5 },
      s: { type: "string", pattern: "^a", maxLength: 3 },
      e: { type: "string", enum: ["x", "y"] },
      l: { type: "list", maxItems: 1, items: { type: "string" } },
    },
    { required: ["n"] },
  );
  expect(problems(schema, { n: 1, s: "bb" })).toEqual([
    "Invalid spec.s: Invalid value: \"bb\": spec.s in body should match '^a'",
  ]);
  expect(problems(schema, { n: 1, s: "abbbb" })).toEqual(["TooLong spec.s: Too long: may not be more than 3 bytes"]);
  expect(problems(schema, { n: 1, e: "z" })).toEqual([
    'NotSupported spec.e: Unsupported value: "z": supported values: "x", "y"',
  ]);
  expect(problems(schema, { n: 1, l: ["1", "2"] })).toEqual(["TooMany spec.l: Too many: 2: must have at most 1 item"]);
  expect(problems(schema, {})).toEqual(["Required spec.n: Required value"]);
  expect(problems(schema, { n: 9 })).toEqual([
    "Invalid spec.n: Invalid value: 9: spec.n in body should be less than or equal to 5",
  ]);
  expect(problems(schema, { n: "x" })).toEqual([
    'TypeInvalid spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"',
  ]);
  expect(problems(schema, { n: 1, s: "abc", e: "x", l: ["1"] })).toEqual([]);
});

test("null stands only for nullable fields", () => {
  const schema = spec({ a: { type: "string", nullable: true }, b: { type: "string" } });
  expect(problems(schema, { a: null })).toEqual([]);
  expect(problems(schema, { b: null })).toEqual([
    'TypeInvalid spec.b: Invalid value: "null": spec.b in body must be of type string: "null"',
  ]);
});

test("known formats are held, others are not looked at", () => {
  const schema = spec({ i: { type: "string", format: "ipv4" }, x: { type: "string", format: "martian" } });
  expect(problems(schema, { i: "300.1.1.1", x: "?" })).toEqual([
    'TypeInvalid spec.i: Invalid value: "300.1.1.1": spec.i in body must be of type ipv4: "300.1.1.1"',
  ]);
  expect(problems(schema, { i: "10.0.0.1" })).toEqual([]);
  const either = spec({ p: { type: "string", format: "int-or-string" } });
  expect(problems(either, { p: 1 })).toEqual([]);
  expect(problems(either, { p: "50%" })).toEqual([]);
});

test("list maps and sets hold each key once", () => {
  const item: Schema = { type: "object", fields: { k: { type: "string" }, v: { type: "string" } } };
  const schema = spec({
    l: { type: "list", listType: "map", listKeys: ["k"], items: item },
    s: { type: "list", listType: "set", items: { type: "string" } },
  });
  expect(problems(schema, { l: [{ k: "x" }, { k: "y" }, { k: "x" }, { k: "x" }], s: ["a", "b", "a"] })).toEqual([
    'Duplicate spec.l[2]: Duplicate value: {"k":"x"}',
    'Duplicate spec.s[2]: Duplicate value: "a"',
  ]);
});

test("alternatives are counted", () => {
  const a: Schema = { type: "any", required: ["a"] };
  const b: Schema = { type: "any", required: ["b"] };
  const fields: Record<string, Schema> = { a: { type: "integer" }, b: { type: "integer" } };
  expect(problems(spec(fields, { oneOf: [a, b] }), { a: 1 })).toEqual([]);
  expect(problems(spec(fields, { oneOf: [a, b] }), { a: 1, b: 1 })).toEqual([
    'Invalid <nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ]);
  expect(problems(spec(fields, { anyOf: [a, b] }), {})).toEqual([
    'Invalid <nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
    "Required spec.a: Required value",
  ]);
  expect(problems(spec(fields, { not: a }), { a: 1 })).toHaveLength(1);
});

test("a pattern that would backtrack forever ends at once", () => {
  const schema = spec({ s: { type: "string", pattern: "^(a+)+$" } });
  expect(problems(schema, { s: `${"a".repeat(5000)}b` })).toHaveLength(1);
});

test("a built-in kind without rules still asks for what is required", () => {
  const fields = (name: string, object: object) => [...missingFields(schemaOf(name), object)].map((p) => p.field);
  expect(fields("io.k8s.api.storage.v1.StorageClass", { metadata: {} })).toEqual(["provisioner"]);
  expect(fields("io.k8s.api.scheduling.v1.PriorityClass", { value: 0 })).toEqual([]);
  expect(fields("io.k8s.api.networking.v1.IngressClass", { spec: { parameters: { kind: "K", name: "" } } })).toEqual([
    "spec.parameters.name",
  ]);
});
