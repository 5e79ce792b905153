/**
 * How much an expression may cost at most and at least, before it is ever evaluated: rules that could cost too much are
 * refused. The arithmetic is part of the interface.
 * https://kubernetes.io/docs/reference/using-api/cel/#type-checking and #resource-constraints
 */

import type { Declared, Environment } from "./environment.ts";
import { ACCUMULATOR } from "./macros.ts";
import { add, fixed, MAX, multiply, type Range, scale, UNKNOWN, union } from "./ranges.ts";
import type { Call, Expr, Fold } from "./syntax.ts";
import { isOptional, type Type } from "./types.ts";
import { stringLength } from "./values.ts";

/** A part of an expression, as estimators of functions see it. */
export type Node = { type: Type; path?: readonly string[]; size?: Range; expr?: Expr };
export type SizeOf = (node: Node) => Range;
export type Estimate = { cost: Range; size?: Range };
/** The receiver is the first node. */
export type Estimator = (nodes: readonly Node[], sizeOf: SizeOf) => Estimate | undefined;
/** How large what lies at a path is: `self`, `items`, `@items`, `name`. */
export type Sizes = (path: readonly string[]) => Range | undefined;

export function estimateCost(expr: Expr, environment: Environment, sizes: Sizes): Range {
  return new Coster(environment, sizes).cost(expr);
}

type EntrySize = { kind: "list" | "map"; key: Range; value: Range };
type Local = { path: readonly string[]; size?: Range; entries?: EntrySize };

const TRAVERSAL = 0.1;
const REGEX = 0.25;
const SIZED = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);

class Coster {
  private readonly environment: Environment;
  private readonly sizes: Sizes;
  private readonly paths = new Map<Expr, readonly string[]>();
  private readonly computed = new Map<Expr, Range>();
  private readonly entries = new Map<Expr, EntrySize>();
  private readonly locals = new Map<string, Local[]>();

  constructor(environment: Environment, sizes: Sizes) {
    this.environment = environment;
    this.sizes = sizes;
  }

  cost(expr: Expr): Range {
    switch (expr.op) {
      case "literal":
        return fixed(0);
      case "ident":
        this.paths.set(expr, this.local(expr.name)?.path ?? [expr.name]);
        return fixed(1);
      case "select":
        return this.select(expr);
      case "call":
        return this.call(expr);
      case "list":
        return this.list(expr);
      case "map":
        return this.map(expr);
      case "struct":
        return expr.fields.reduce((sum, { value }) => add(sum, this.cost(value)), fixed(40));
      case "fold":
        return expr.item === "#unused" ? this.bind(expr) : this.fold(expr);
    }
  }

  private local(name: string): Local | undefined {
    return this.locals.get(name)?.at(-1);
  }

  private push(name: string, local: Local): void {
    this.locals.set(name, [...(this.locals.get(name) ?? []), local]);
  }

  private pop(name: string): void {
    this.locals.get(name)?.pop();
  }

  private pathOf(expr: Expr): readonly string[] {
    const local = expr.op === "ident" ? this.local(expr.name) : undefined;
    return local?.path ?? this.paths.get(expr) ?? [];
  }

  private select(expr: Expr & { op: "select" }): Range {
    const inner = this.cost(expr.operand);
    if (expr.isTest) return inner;
    this.paths.set(expr, [...this.pathOf(expr.operand), expr.field]);
    const { kind } = expr.operand.type as Type;
    return kind === "map" || kind === "struct" || kind === "param" ? add(inner, fixed(1)) : inner;
  }

  private list(expr: Expr & { op: "list" }): Range {
    let sum = fixed(10);
    let size: Range = { min: expr.items.length ? MAX : 0, max: 0 };
    for (const item of expr.items) {
      sum = add(sum, this.cost(item));
      size = union(size, this.sizeOrUnknown(item));
    }
    this.entries.set(expr, { kind: "list", key: fixed(1), value: size });
    return sum;
  }

  private map(expr: Expr & { op: "map" }): Range {
    let sum = fixed(30);
    const none: Range = { min: expr.entries.length ? MAX : 0, max: 0 };
    let [keys, values] = [none, none];
    for (const { key, value } of expr.entries) {
      sum = add(add(sum, this.cost(key)), this.cost(value));
      keys = union(keys, this.sizeOrUnknown(key));
      values = union(values, this.sizeOrUnknown(value));
    }
    this.entries.set(expr, { kind: "map", key: keys, value: values });
    return sum;
  }

  private fold(fold: Expr & Fold): Range {
    let sum = add(this.cost(fold.range), this.cost(fold.initial));
    this.push(fold.accumulator, this.bound(fold.initial));
    this.pushItems(fold);
    const each = add(this.cost(fold.step), this.cost(fold.condition));
    this.pop(fold.item);
    if (fold.second !== undefined) this.pop(fold.second);
    sum = add(sum, this.cost(fold.result));
    this.pop(fold.accumulator);
    const rounds = this.sizeOrUnknown(fold.range);
    if (fold.initial.op === "literal") this.setSize(fold, this.sizeOf(fold.initial));
    else if (fold.initial.op === "list" || fold.initial.op === "map") {
      this.computed.set(fold, rounds);
      const entries = this.entriesOf(fold.step);
      if (entries) this.entries.set(fold, entries);
    }
    return add(sum, multiply(rounds, each));
  }

  private pushItems({ range, item, second }: Expr & Fold): void {
    const entries = this.entriesOf(range);
    const path = this.pathOf(range);
    const kind = entries?.kind ?? range.type?.kind;
    const keys: Local = {
      path: [...path, kind === "list" ? "@indices" : "@keys"],
      ...(entries && { size: entries.key }),
    };
    const values: Local = {
      path: [...path, kind === "list" ? "@items" : "@values"],
      ...(entries && { size: entries.value }),
    };
    if (second !== undefined) {
      this.push(item, keys);
      this.push(second, values);
    } else this.push(item, kind === "list" ? values : keys);
  }

  private bound(expr: Expr): Local {
    const [size, entries] = [this.sizeOf(expr), this.entriesOf(expr)];
    return { path: this.pathOf(expr), ...(size && { size }), ...(entries && { entries }) };
  }

  private bind(fold: Expr & Fold): Range {
    let sum = add(this.cost(fold.range), this.cost(fold.initial));
    this.push(fold.accumulator, this.bound(fold.initial));
    sum = add(sum, this.cost(fold.result));
    this.pop(fold.accumulator);
    this.copySizes(fold, fold.result);
    return sum;
  }

  private copySizes(to: Expr, from: Expr): void {
    this.setSize(to, this.sizeOf(from));
    const entries = this.entriesOf(from);
    if (entries) this.entries.set(to, entries);
  }

  private setSize(expr: Expr, size: Range | undefined): void {
    if (size) this.computed.set(expr, size);
  }

  private sizeOrUnknown(expr: Expr): Range {
    return this.sizeOf(expr) ?? UNKNOWN;
  }

  private sizeOf(expr: Expr): Range | undefined {
    const known = this.computed.get(expr) ?? literalSize(expr);
    if (known) return known;
    const declared = this.sizes(this.rootedPath(this.pathOf(expr)) ?? []);
    if (declared) {
      this.computed.set(expr, declared);
      return declared;
    }
    if (isFixedSize(expr.type as Type)) return fixed(1);
    return expr.op === "ident" ? this.local(expr.name)?.size : undefined;
  }

  private entriesOf(expr: Expr): EntrySize | undefined {
    return this.entries.get(expr) ?? (expr.op === "ident" ? this.local(expr.name)?.entries : undefined);
  }

  /** What loops accumulate has no declared size. */
  private rootedPath(path: readonly string[]): readonly string[] | undefined {
    return path.length && path[0] !== ACCUMULATOR ? path : undefined;
  }

  private node(expr: Expr): Node {
    const path = this.rootedPath(this.pathOf(expr));
    const size = this.sizeOf(expr);
    return { type: expr.type as Type, expr, ...(path && { path }), ...(size && { size }) };
  }

  private call(expr: Expr & Call): Range {
    const { name, args, target } = expr;
    if (name === "dyn" && args[0]) {
      const cost = add(fixed(1), this.cost(args[0]));
      this.copySizes(expr, args[0]);
      return cost;
    }
    const costs = args.map((arg) => this.cost(arg));
    if (!expr.overloads?.length) return fixed(0);
    const before = target ? this.cost(target) : fixed(0);
    const nodes = (target ? [target, ...args] : args).map((arg) => this.node(arg));
    const declared = this.environment.find(name);
    let total: Range = { min: MAX, max: 0 };
    let size: Range | undefined;
    for (const id of expr.overloads) {
      const estimate = this.overloadCost(expr, declared, id, nodes, costs);
      total = union(total, estimate.cost);
      if (estimate.size) size = size ? union(size, estimate.size) : estimate.size;
      if (id === "index_list" || id === "index_map") {
        const operand = args[0] as Expr;
        size = this.entriesOf(operand)?.value;
        this.paths.set(expr, [...this.pathOf(operand), id === "index_list" ? "@items" : "@values"]);
      }
      size ??= this.sizeOf(expr);
    }
    this.setSize(expr, size);
    return add(before, total);
  }

  private overloadCost(
    expr: Expr & Call,
    declared: Declared | undefined,
    id: string,
    nodes: readonly Node[],
    costs: readonly Range[],
  ): Estimate {
    const sizeOf: SizeOf = (node) => node.size ?? (node.path && this.sizes(node.path)) ?? UNKNOWN;
    const own = declared?.overloads.find((overload) => overload.id === id)?.estimate?.(nodes, sizeOf);
    const sum = costs.reduce(add, fixed(0));
    if (own) return { ...own, cost: add(own.cost, sum) };
    return this.builtinCost(expr, id, nodes, costs, sum);
  }

  private builtinCost(
    expr: Expr & Call,
    id: string,
    nodes: readonly Node[],
    costs: readonly Range[],
    sum: Range,
  ): Estimate {
    const size = (index: number): Range => nodes[index]?.size ?? UNKNOWN;
    const arg = (index: number): Range => costs[index] as Range;
    const traversal = (range: Range) => ({ cost: add(scale(range, TRAVERSAL), sum) });
    switch (id) {
      case "string_format":
        return traversal(size(0));
      case "string_to_bytes":
        return { ...traversal(size(0)), size: { min: size(0).min, max: Math.min(size(0).max * 4, MAX) } };
      case "bytes_to_string":
        return { ...traversal(size(0)), size: { min: Math.floor(size(0).min / 4), max: size(0).max } };
      case "strings_quote":
        return { ...traversal(size(0)), size: { min: size(0).min + 2, max: Math.min(size(0).max * 2 + 2, MAX) } };
      case "starts_with_string":
      case "ends_with_string":
        return traversal(size(1));
      case "in_list":
        return { cost: add(size(1), sum) };
      case "matches_string": {
        const text = scale(add(size(0), fixed(1)), TRAVERSAL);
        return { cost: add(multiply(text, scale(size(1), REGEX)), sum) };
      }
      case "contains_string":
        return { cost: add(multiply(scale(size(0), TRAVERSAL), scale(size(1), TRAVERSAL)), sum) };
      case "logical_or":
      case "logical_and":
        return { cost: { min: arg(0).min, max: add(arg(0), arg(1)).max } };
      case "conditional":
        return this.conditionalCost(expr, size, costs);
      case "add_string":
      case "add_bytes":
      case "add_list":
        return this.additionCost(expr, id, size, sum);
      default:
        return { cost: add(comparisonCost(id, size), sum) };
    }
  }

  private conditionalCost(expr: Expr & Call, size: (index: number) => Range, costs: readonly Range[]): Estimate {
    const [condition, yes, no] = costs as [Range, Range, Range];
    const [, first, second] = expr.args as [Expr, Expr, Expr];
    const entries = unionEntries(this.entriesOf(first), this.entriesOf(second));
    if (entries) this.entries.set(expr, entries);
    return { cost: add(condition, union(yes, no)), size: union(size(1), size(2)) };
  }

  private additionCost(expr: Expr & Call, id: string, size: (index: number) => Range, sum: Range): Estimate {
    const total = add(size(0), size(1));
    const [left, right] = expr.args as [Expr, Expr];
    const entries = unionEntries(this.entriesOf(left), this.entriesOf(right));
    if (entries) this.entries.set(expr, entries);
    return { cost: add(id === "add_list" ? fixed(1) : scale(total, TRAVERSAL), sum), size: total };
  }
}

const COMPARISON = /^(?:equals|not_equals|(?:less|greater)(?:_equals)?_(?:string|bytes))$/;

function comparisonCost(id: string, size: (index: number) => Range): Range {
  if (!COMPARISON.test(id)) return fixed(1);
  const most = Math.min(size(0).max, size(1).max);
  return scale({ min: most > 0 ? 1 : 0, max: most }, TRAVERSAL);
}

const unionEntries = (a: EntrySize | undefined, b: EntrySize | undefined): EntrySize | undefined =>
  a && b && { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) };

function literalSize(expr: Expr): Range | undefined {
  switch (expr.op) {
    case "literal":
      if (typeof expr.value === "string") return fixed(stringLength(expr.value));
      return fixed(expr.value instanceof Uint8Array ? expr.value.length : 1);
    case "list":
      return fixed(expr.items.length);
    case "map":
      return fixed(expr.entries.length);
    default:
      return undefined;
  }
}

function isFixedSize(type: Type): boolean {
  return SIZED.has(type.kind) || (isOptional(type) && isFixedSize(type.params[0] as Type));
}

/** The whole number that a node is written as; negative ones count as zero. */
export function literalInt({ expr }: Node): number | undefined {
  if (expr?.op !== "literal" || typeof expr.value !== "bigint") return undefined;
  return Math.max(0, Number(expr.value));
}
