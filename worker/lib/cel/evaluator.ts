/**
 * Computes checked expressions, counting what it costs as cel-go does.
 * https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints
 */
import { defaultCost } from "./costs.ts";
import type { Environment, Overload } from "./environment.ts";
import { CelError, CostExceeded } from "./errors.ts";
import { pattern } from "./library/patterns.ts";
import type { Call, Expr, Fold } from "./syntax.ts";
import {
  type CelMap,
  CelObject,
  CelOptional,
  CelType,
  equal,
  hasKey,
  isMap,
  isOfType,
  keysOf,
  keyValue,
  made,
  NONE,
  some,
  typeNameOf,
  valueAt,
} from "./values.ts";

/** What is left to spend; several evaluations may share one. */
export type Budget = { cost: number };

export type Activation = Readonly<Record<string, unknown>>;

type Frame = { variables: Activation; locals: Local | undefined; budget: Budget };
type Local = { name: string; value: unknown; outer: Local | undefined };

export type Evaluate = (frame: Frame) => unknown;

export const start = (variables: Activation, budget: Budget): Frame => ({ variables, locals: undefined, budget });

function spend({ budget }: Frame, cost: number): void {
  budget.cost -= cost;
  if (budget.cost < 0) throw new CostExceeded();
}

/** A constant costs nothing; parts that are computed beforehand are marked so. */
type Planned = Evaluate & { constant?: { value: unknown } };

const constantly = (value: unknown): Planned => Object.assign(() => value, { constant: { value } });

/** A checked expression as a function. */
export function plan(expr: Expr, environment: Environment): Evaluate {
  return new Planner(environment).plan(expr);
}

class Planner {
  private readonly environment: Environment;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  plan(expr: Expr): Planned {
    switch (expr.op) {
      case "literal":
        return constantly(expr.value);
      case "ident":
        return expr.resolved ? constantly(new CelType(expr.resolved)) : ident(expr.name);
      case "select":
        return this.select(expr);
      case "call":
        return this.call(expr);
      case "list":
        return this.list(expr);
      case "map":
        return this.map(expr);
      case "struct":
        return this.struct(expr);
      case "fold":
        return this.fold(expr);
    }
  }

  private select({ operand, field, isTest }: Expr & { op: "select" }): Planned {
    const inner = this.plan(operand);
    // What is no variable or part of one becomes the root of a path, which costs as a variable does.
    const root = isPath(operand) ? 0 : 1;
    if (isTest)
      return (frame) => {
        const value = inner(frame);
        spend(frame, root);
        return isPresent(value, field);
      };
    return (frame) => {
      const value = inner(frame);
      spend(frame, root + 1);
      return member(value, field);
    };
  }

  private list({ items, optional }: Expr & { op: "list" }): Planned {
    const planned = items.map((item) => this.plan(item));
    const build = (frame: Frame): unknown[] => {
      const list: unknown[] = [];
      for (const [index, item] of planned.entries()) {
        const value = item(frame);
        if (!optional.has(index)) list.push(value);
        else if ((value as CelOptional).held) list.push((value as CelOptional).held?.value);
      }
      return list;
    };
    if (!optional.size && planned.every(({ constant }) => constant))
      return constantly(planned.map(({ constant }) => constant?.value));
    return (frame) => {
      const list = build(frame);
      spend(frame, 10);
      return list;
    };
  }

  private map({ entries }: Expr & { op: "map" }): Planned {
    const planned = entries.map(({ key, value, isOptional }) => ({
      key: this.plan(key),
      value: this.plan(value),
      isOptional,
    }));
    const build = (frame: Frame): Map<unknown, unknown> => {
      const map = new Map<unknown, unknown>();
      for (const { key, value, isOptional } of planned) {
        const name = keyValue(key(frame));
        const item = value(frame);
        if (!isOptional) map.set(name, item);
        else if ((item as CelOptional).held) map.set(name, (item as CelOptional).held?.value);
      }
      return map;
    };
    const isConstant = planned.every(({ key, value, isOptional }) => key.constant && value.constant && !isOptional);
    if (isConstant) return constantly(build({ variables: {}, locals: undefined, budget: { cost: 0 } }));
    return (frame) => {
      const map = build(frame);
      spend(frame, 30);
      return map;
    };
  }

  /** An object as a plain one, of which its type is known. */
  private struct({ name: type, fields }: Expr & { op: "struct" }): Planned {
    const planned = fields.map(({ name, value, isOptional }) => ({ name, value: this.plan(value), isOptional }));
    return (frame) => {
      const object: Record<string, unknown> = {};
      for (const { name, value, isOptional } of planned) {
        const item = value(frame);
        if (!isOptional) object[name] = item;
        else if ((item as CelOptional).held) object[name] = (item as CelOptional).held?.value;
      }
      spend(frame, 40);
      return made(object, type);
    };
  }

  private fold(fold: Expr & Fold): Planned {
    if (fold.item === "#unused") return this.bind(fold);
    const [range, initial, condition, step, result] = [
      fold.range,
      fold.initial,
      fold.condition,
      fold.step,
      fold.result,
    ].map((part) => this.plan(part)) as [Planned, Planned, Planned, Planned, Planned];
    return (frame) => {
      const over = range(frame);
      const accumulator: Local = { name: fold.accumulator, value: initial(frame), outer: frame.locals };
      const inner: Frame = { ...frame, locals: accumulator };
      for (const [key, item] of pairs(over, fold.second !== undefined)) {
        let locals: Local = { name: fold.item, value: fold.second === undefined ? item : key, outer: accumulator };
        if (fold.second !== undefined) locals = { name: fold.second, value: item, outer: locals };
        inner.locals = locals;
        if (accumulated(() => condition(inner)) !== true) break;
        accumulator.value = accumulated(() => step(inner));
      }
      inner.locals = accumulator;
      return result(inner);
    };
  }

  /** A loop over nothing: its accumulator is a name for a value, which is computed when it is looked at. */
  private bind(fold: Expr & Fold): Planned {
    const [initial, result] = [this.plan(fold.initial), this.plan(fold.result)];
    return (frame) => {
      const local: Local = { name: fold.accumulator, value: undefined, outer: frame.locals };
      let known: { value: unknown } | undefined;
      Object.defineProperty(local, "value", {
        get() {
          known ??= { value: initial(frame) };
          return known.value;
        },
      });
      return result({ ...frame, locals: local });
    };
  }

  private call(expr: Expr & Call): Planned {
    const { name, args } = expr;
    switch (name) {
      case "_&&_":
        return this.logical(expr, false);
      case "_||_":
        return this.logical(expr, true);
      case "_?_:_":
        return this.conditional(expr);
      case "_[_]":
        return this.index(expr, (value, key) => at(value, key));
      case "_[?_]":
        return this.index(expr, (value, key) => optionallyAt(value, key));
      case "_?._": {
        const inner = this.plan(args[0] as Expr);
        const field = (args[1] as { value?: unknown }).value as string;
        const root = isPath(args[0] as Expr) ? 0 : 1;
        return (frame) => {
          const value = optionallyAt(inner(frame), field);
          spend(frame, root + (value.held ? 1 : 0));
          return value;
        };
      }
      case "@not_strictly_false":
        return this.notFalse(args[0] as Expr);
      case "or":
      case "orValue":
        return this.otherwise(expr);
      default:
        return this.dispatch(expr);
    }
  }

  /** One operand that decides is enough, even where the other has no value. */
  private logical({ args }: Expr & Call, decisive: boolean): Planned {
    const [left, right] = args.map((arg) => this.plan(arg)) as [Planned, Planned];
    return (frame) => {
      const first = attempt(() => left(frame));
      if (first.value === decisive) return decisive;
      const second = attempt(() => right(frame));
      if (second.value === decisive) return decisive;
      const failed = first.error ?? second.error;
      if (failed) throw failed;
      if (typeof first.value !== "boolean" || typeof second.value !== "boolean") throw new CelError("no such overload");
      return !decisive;
    };
  }

  private conditional({ args }: Expr & Call): Planned {
    const [condition, yes, no] = args.map((arg, index) => (index > 0 ? this.branch(arg) : this.plan(arg))) as [
      Planned,
      Planned,
      Planned,
    ];
    return (frame) => {
      const value = condition(frame);
      if (typeof value !== "boolean") throw new CelError("no such overload");
      return value ? yes(frame) : no(frame);
    };
  }

  /** The root of a path costs nothing where a condition has chosen it. */
  private branch(expr: Expr): Planned {
    const inner = this.plan(expr);
    if (!isPath(expr)) return inner;
    return (frame) => {
      frame.budget.cost += 1;
      return inner(frame);
    };
  }

  private index({ args }: Expr & Call, look: (value: unknown, key: unknown) => unknown): Planned {
    const [operand, index] = args as [Expr, Expr];
    const [inner, key] = [this.plan(operand), this.plan(index)];
    const root = isPath(operand) ? 0 : 1;
    const isFree = isPath(index);
    return (frame) => {
      const value = inner(frame);
      // A path as an index is part of the path that it is in.
      const within = key(isFree ? { ...frame, budget: { cost: Number.POSITIVE_INFINITY } } : frame);
      spend(frame, root);
      const result = look(value, within);
      if (!(result instanceof CelOptional) || result.held) spend(frame, 1);
      return result;
    };
  }

  private notFalse(arg: Expr): Planned {
    const inner = this.plan(arg);
    return (frame) => {
      const { value } = attempt(() => inner(frame));
      spend(frame, 1);
      return value !== false;
    };
  }

  private otherwise({ name, target, args }: Expr & Call): Planned {
    const [first, second] = [this.plan(target as Expr), this.plan(args[0] as Expr)];
    return (frame) => {
      const value = first(frame);
      if (!(value instanceof CelOptional)) throw new CelError("no such overload");
      if (!value.held) return second(frame);
      return name === "or" ? value : value.held.value;
    };
  }

  private dispatch(expr: Expr & Call): Planned {
    const { name, target } = expr;
    const planned = (target ? [target, ...expr.args] : expr.args).map((arg) => this.plan(arg));
    const overloads = this.environment
      .find(name)
      ?.overloads.filter(
        ({ isMember, params }) => isMember === (target !== undefined) && params.length === planned.length,
      );
    if (!overloads?.length) throw new CelError(`unknown function: ${name}`);
    const [first, second] = planned;
    if (CONVERSIONS.has(name) && first?.constant) return constantly(invoke(name, overloads, [first.constant.value]));
    if (PATTERNS.has(name) && second?.constant) pattern(String(second.constant.value));
    const set = name === "@in" && second?.constant?.value;
    if (Array.isArray(set) && set.every((item) => typeof item !== "object")) return constantSet(first as Planned, set);
    const isEager = planned.length === 2;
    return (frame) => invoke(name, overloads, evaluateAll(planned, frame, isEager), frame);
  }
}

const PATTERNS = new Set(["find", "findAll", "matches"]);
const CONVERSIONS = new Set([
  "bool",
  "bytes",
  "double",
  "duration",
  "dyn",
  "int",
  "string",
  "timestamp",
  "type",
  "uint",
]);

/** A call counts though an argument has no value; of two arguments both are looked at first. */
function evaluateAll(planned: readonly Planned[], frame: Frame, isEager: boolean): unknown[] {
  let failed: CelError | undefined;
  const args: unknown[] = [];
  for (const arg of planned) {
    const { value, error } = attempt(() => arg(frame));
    failed ??= error;
    if (failed && !isEager) break;
    args.push(value);
  }
  if (!failed) return args;
  spend(frame, 1);
  throw failed;
}

/** `x in [1, 2]`: looking a value up among constants costs nothing. */
const constantSet =
  (planned: Planned, set: readonly unknown[]): Planned =>
  (frame) => {
    const value = planned(frame);
    return set.some((item) => equal(item, value));
  };

function invoke(name: string, overloads: readonly Overload[], args: unknown[], frame?: Frame): unknown {
  const chosen = overloads.find(({ params }) => params.every((type, index) => isOfType(args[index], type)));
  const { value, error } = attempt(() => {
    if (chosen?.run) return chosen.run(...args);
    const types = args.map(typeNameOf).join(", ");
    throw new CelError(/^[a-z]/.test(name) ? `no such overload: ${name}(${types})` : "no such overload");
  });
  if (frame) spend(frame, error ? 1 : (chosen?.cost?.(args, value) ?? defaultCost(chosen?.id ?? "", args)));
  if (error) throw error;
  return value;
}

/** Variables, and what lies within something. */
function isPath(expr: Expr): boolean {
  if (expr.op === "ident") return expr.resolved === undefined;
  if (expr.op === "select") return !expr.isTest;
  return expr.op === "call" && PATHS.has(expr.name);
}

const PATHS = new Set(["_[_]", "_[?_]", "_?._", "_?_:_"]);

function ident(name: string): Planned {
  const plain = name.replace(/^\./, "");
  return (frame) => {
    spend(frame, 1);
    for (let local = frame.locals; local; local = local.outer)
      if (local.name === plain) return unlessFailed(local.value);
    const value = frame.variables[plain];
    if (value === undefined) throw new CelError(`no such attribute(s): ${plain}`);
    return value;
  };
}

/** What a loop has accumulated may be an error, which `&&` and `||` absorb. */
class Failed {
  readonly error: CelError;

  constructor(error: CelError) {
    this.error = error;
  }
}

function unlessFailed(value: unknown): unknown {
  if (value instanceof Failed) throw value.error;
  return value;
}

function accumulated(compute: () => unknown): unknown {
  const { value, error } = attempt(compute);
  return error ? new Failed(error) : value;
}

function attempt(compute: () => unknown): { value?: unknown; error?: CelError } {
  try {
    return { value: compute() };
  } catch (error) {
    if (!(error instanceof CelError) || error instanceof CostExceeded) throw error;
    return { error };
  }
}

function* pairs(over: unknown, withKeys: boolean): Iterable<[unknown, unknown]> {
  if (Array.isArray(over)) for (const [index, item] of over.entries()) yield [BigInt(index), item];
  else if (isMap(over)) for (const key of keysOf(over)) yield [key, withKeys ? valueAt(over, key) : key];
  else throw new CelError(`got '${typeNameOf(over)}', expected iterable type`);
}

function isPresent(value: unknown, field: string): boolean {
  if (value instanceof CelOptional) return value.held !== undefined && isPresent(value.held.value, field);
  if (isMap(value)) return hasKey(value, field);
  throw new CelError(`no such key: ${field}`);
}

function member(value: unknown, field: string): unknown {
  if (value instanceof CelOptional) return optionallyAt(value, field);
  if (!isMap(value)) throw new CelError(`no such key: ${field}`);
  return found(value, field);
}

function found(map: CelMap, key: unknown): unknown {
  if (!hasKey(map, key)) throw new CelError(`no such key: ${String(keyValue(key))}`);
  return valueAt(map, key);
}

function at(value: unknown, key: unknown): unknown {
  if (value instanceof CelOptional) return optionallyAt(value, key);
  if (isMap(value)) return found(value, key);
  if (!Array.isArray(value)) throw new CelError("no such overload");
  const index = keyValue(key);
  if (typeof index !== "bigint") throw new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
  if (index < 0n || index >= BigInt(value.length)) throw new CelError(`index out of bounds: ${index}`);
  return value[Number(index)];
}

function optionallyAt(value: unknown, key: unknown): CelOptional {
  if (value instanceof CelOptional) return value.held ? optionallyAt(value.held.value, key) : NONE;
  if (isMap(value)) return hasKey(value, key) ? some(valueAt(value, key)) : NONE;
  if (value instanceof CelObject || !Array.isArray(value)) throw new CelError("no such overload");
  const index = keyValue(key);
  return typeof index === "bigint" && index >= 0n && index < BigInt(value.length) ? some(value[Number(index)]) : NONE;
}
