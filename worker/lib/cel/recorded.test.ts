import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KUBERNETES } from "./library/kubernetes.ts";
import { formatDouble } from "./numbers.ts";
import { CelError, compile } from "./program.ts";
import { parseType } from "./types.ts";
import * as cel from "./values.ts";

/** What cel-go says of an expression in Kubernetes' environment: its costs and value, or what is wrong with it. */
type Recorded = {
  expr: string;
  error?: string;
  min: number;
  max: number;
  cost?: number;
  eval?: string;
  evalError?: string;
};

const recorded = JSON.parse(
  readFileSync(new URL("testdata/expressions.json", import.meta.url), "utf8"),
) as readonly Recorded[];

const VARIABLES = {
  i: "int",
  s: "string",
  d: "double",
  b: "bool",
  l: "list(int)",
  ls: "list(string)",
  m: "map(string, int)",
  x: "dyn",
  t: "timestamp",
  du: "duration",
  by: "bytes",
};
const environment = KUBERNETES.with(
  Object.fromEntries(Object.entries(VARIABLES).map(([name, type]) => [name, parseType(type)])),
);
const values = {
  ...(cel.celValue({ i: 1, s: "abc", b: true, l: [1, 2], ls: ["a"], m: { a: 1 }, x: { a: { b: 1 } } }) as object),
  d: 1.5,
};

function show(value: unknown): string {
  if (value instanceof cel.CelOptional) return value.held ? `some ${show(value.held.value)}` : "none";
  if (value instanceof cel.CelUint) return `uint(${value.value})`;
  if (value instanceof cel.CelType) return `type(${value.type.name})`;
  if (value instanceof cel.CelTimestamp || value instanceof cel.CelDuration) return cel.typeNameOf(value);
  if (value instanceof cel.CelObject) return `${value.typeName}(${value})`;
  if (Array.isArray(value)) return `[${value.map(show).join(",")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof Uint8Array) return `bytes([${[...value].join(" ")}])`;
  if (!cel.isMap(value)) return `${cel.typeNameOf(value)}(${value})`;
  const entries = cel.keysOf(value).map((key) => `${show(key)}:${show(cel.valueAt(value, key))}`);
  return `{${entries.sort().join(",")}}`;
}

function ours(expr: string): Recorded {
  const none = { expr, min: 0, max: 0 };
  const failure = (error: unknown) => {
    if (!(error instanceof CelError)) throw error;
    return error.message;
  };
  let program: ReturnType<typeof compile>;
  try {
    program = compile(environment, expr);
  } catch (error) {
    return { ...none, error: failure(error) };
  }
  const budget = { cost: 10_000_000 };
  const { min, max } = program.estimate();
  try {
    const value = show(program.evaluate(values, budget));
    return { expr, min, max, cost: 10_000_000 - budget.cost, eval: value };
  } catch (error) {
    return { expr, min, max, evalError: failure(error) };
  }
}

test.each(recorded)("$expr", (wanted) => {
  const { min, max, ...got } = ours(wanted.expr);
  const { min: wantedMin, max: wantedMax, ...rest } = wanted;
  expect(got).toEqual(rest);
  // Numbers past 2⁵³ are rounded.
  expect(min / Math.max(1, wantedMin)).toBeCloseTo(wantedMin ? 1 : 0, 9);
  expect(max / Math.max(1, wantedMax)).toBeCloseTo(wantedMax ? 1 : 0, 9);
});
