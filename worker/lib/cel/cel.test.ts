import { describe, expect, test } from "vitest";
import { KUBERNETES } from "./library/kubernetes.ts";
import { CelError, compile } from "./program.ts";
import { DYN, formatType } from "./types.ts";
import { celValue } from "./values.ts";

/** A value of CEL as JSON; what JSON cannot hold becomes text. */
function jsonValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, item]) => [String(name), jsonValue(item)]));
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, jsonValue(item)]));
}

const environment = KUBERNETES.with({ object: DYN });
const evaluate = (expression: string, object: unknown = {}) =>
  jsonValue(compile(environment, expression).evaluate({ object: celValue(object) }));

test.each([
  ["object.spec.replicas <= 5", { spec: { replicas: 3 } }, true],
  ["object.spec.ratio > 1.2 && object.spec.replicas > 2.5", { spec: { ratio: 1.5, replicas: 3 } }, true],
  ["has(object.spec.x) ? object.spec.x : 'none'", { spec: {} }, "none"],
  ["object.metadata.?labels['a'].orValue('b')", { metadata: {} }, "b"],
  ["object.list.all(x, x.startsWith('a')) && object.list.exists(x, x == 'ab')", { list: ["a", "ab"] }, true],
  ["object.map.all(key, object.map[key] > 0)", { map: { a: 1, b: 2 } }, true],
  ["object.list.map(x, x * 2).sum()", { list: [1, 2] }, 6],
  ["object.list.isSorted() && object.list.max() == 3 && object.list.indexOf(2) == 1", { list: [1, 2, 3] }, true],
  ["sets.contains(object.list, [1]) && sets.intersects([3, 9], object.list)", { list: [1, 2, 3] }, true],
  ["'abc 123'.find('[0-9]+')", {}, "123"],
  ["'abc 123 45'.findAll('[0-9]+')", {}, ["123", "45"]],
  ["'a-b-c'.replace('-', '+', 1)", {}, "a+b-c"],
  ["'%s has %d, %.1f'.format(['x', 3, 2.55])", {}, "x has 3, 2.5"],
  ["url('https://u@example.com:8080/a?b=1&b=2').getQuery()['b']", {}, ["1", "2"]],
  ["url('https://[::1]:80/a').getHost() + url('https://[::1]:80/').getHostname()", {}, "[::1]:80::1"],
  ["isURL('nothing') || isURL('/path')", {}, true],
  ["quantity('1.5Gi').isGreaterThan(quantity('1500Mi')) && quantity('50k').add(20).asInteger() == 50020", {}, true],
  ["isQuantity('1x')", {}, false],
  ["cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')", {}, true],
  ["string(cidr('192.168.1.7/24').masked())", {}, "192.168.1.0/24"],
  ["isIP('010.0.0.1') || isIP('::ffff:1.2.3.4')", {}, false],
  ["ip('fe80::1').isLinkLocalUnicast() && ip('::1').family() == 6", {}, true],
  ["timestamp('2026-01-02T03:04:05Z') + duration('1h') > timestamp('2026-01-02T04:00:00Z')", {}, true],
])("%s", (expression, object, expected) => {
  expect(evaluate(expression, object)).toEqual(expected);
});

describe("what is refused", () => {
  test.each(["object.a +", "unknown.a", "'a' + 1", "[1].sum(2)"])("%s does not compile", (expression) => {
    expect(() => compile(environment, expression)).toThrow(CelError);
  });

  test("a missing field has no value", () => {
    expect(() => evaluate("object.a.b == 1", { a: {} })).toThrow("no such key: b");
  });
});

test("patterns that are slow elsewhere take linear time", () => {
  expect(evaluate(`object.text.matches('(a+)+$')`, { text: `${"a".repeat(50_000)}b` })).toBe(false);
});

test("loops within loops end when their budget is spent, and one budget serves many rules", () => {
  const list = Array.from({ length: 2000 }, (_, index) => index);
  const program = compile(environment, "object.list.all(x, object.list.exists(y, y == x))");
  const object = celValue({ list });
  expect(() => program.evaluate({ object })).toThrow("cost limit exceeded");
  const budget = { cost: 120 };
  const short = compile(environment, "object.all(x, x >= 0)");
  const ten = celValue(list.slice(0, 10));
  expect(short.evaluate({ object: ten }, budget)).toBe(true);
  expect(short.evaluate({ object: ten }, budget)).toBe(true);
  expect(() => short.evaluate({ object: ten }, budget)).toThrow("cost limit exceeded");
});

test("a program tells its type and what it mentions", () => {
  const program = compile(environment, "object.a == 1");
  expect([formatType(program.type), program.mentions("object"), program.mentions("oldObject")]).toEqual([
    "bool",
    true,
    false,
  ]);
});
