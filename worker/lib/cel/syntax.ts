import type { Type } from "./types.ts";

/**
 * The syntax tree of an expression, macros expanded. `at` is where messages point: the offset, in code points, of the
 * operator, bracket or name. The type checker fills in `type`, and `overloads` of calls.
 */
export type Expr = Base & Shape;

type Base = { readonly at: number; type?: Type; overloads?: readonly string[] };

type Shape = Literal | Ident | Select | Call | ListLiteral | MapLiteral | StructLiteral | Fold;

export type Literal = { op: "literal"; value: unknown };
/** `resolved` is the type that the name stands for, where it stands for one. */
export type Ident = { op: "ident"; name: string; resolved?: Type };
/** `isTest` is `has(operand.field)`. */
export type Select = { op: "select"; operand: Expr; field: string; isTest: boolean };
export type Call = { op: "call"; name: string; target?: Expr; args: Expr[] };
export type ListLiteral = { op: "list"; items: Expr[]; optional: ReadonlySet<number> };
export type Entry = { key: Expr; value: Expr; isOptional: boolean };
export type MapLiteral = { op: "map"; entries: Entry[] };
export type StructField = { at: number; name: string; value: Expr; isOptional: boolean };
export type StructLiteral = { op: "struct"; name: string; fields: StructField[] };
/** The one loop of the language: what `all`, `map` and the others are made of. */
export type Fold = {
  op: "fold";
  range: Expr;
  item: string;
  /** With it, `item` is the index or the key. */
  second?: string;
  accumulator: string;
  initial: Expr;
  condition: Expr;
  step: Expr;
  result: Expr;
};

/** What is wrong, and where. */
export type Issue = { at: number; message: string };

/** Every direct child, in the order of evaluation. */
export function childrenOf(expr: Expr): Expr[] {
  switch (expr.op) {
    case "select":
      return [expr.operand];
    case "call":
      return expr.target ? [expr.target, ...expr.args] : expr.args;
    case "list":
      return expr.items;
    case "map":
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return expr.fields.map(({ value }) => value);
    case "fold":
      return [expr.range, expr.initial, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}

export function* walk(expr: Expr): Iterable<Expr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* walk(child);
}

/** The name `a.b.c` that a chain of selections spells, or undefined. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.op === "ident") return expr.name;
  if (expr.op !== "select" || expr.isTest) return undefined;
  const before = qualifiedName(expr.operand);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}

/** All issues as cel-go shows them: each with its line and a mark under the place. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  return issues
    .toSorted((a, b) => a.at - b.at)
    .map((issue) => formatIssue(source, issue))
    .join("\n");
}

const MAX_SNIPPET_BYTES = 16_384;

function formatIssue(source: string, { at, message }: Issue): string {
  if (at < 0) return `ERROR: <input>:-1:0: ${message}`;
  const before = [...source].slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.filter((char) => char === "\n").length;
  const column = at - lineStart;
  const head = `ERROR: <input>:${line + 1}:${column + 1}: ${message}`;
  const snippet = (source.split("\n")[line] ?? "").replaceAll("\t", " ");
  if (snippet.length > MAX_SNIPPET_BYTES) return head;
  const chars = [...snippet];
  const isWide = (char: string | undefined) => char !== undefined && char > "\u007f";
  const dots = chars.slice(0, column).map((char) => (isWide(char) ? "\uff0e" : "."));
  const mark = isWide(chars[column]) ? "\uff3e" : "^";
  return `${head}\n | ${snippet}\n | ${dots.join("")}${mark}`;
}
