/** What is written as a call and means a loop: `has`, `all`, `exists`, `map`, `filter`, and those of extensions. */
import type { Expr } from "./syntax.ts";

type MacroCall = { at: number; target: Expr; args: Expr[] };
/** Undefined where it is a plain call after all. Throws MacroError. */
export type Macro = (call: MacroCall) => Expr | undefined;

export class MacroError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** No name that can be written. */
export const ACCUMULATOR = "@result";

const literal = (at: number, value: unknown): Expr => ({ op: "literal", at, value });
const ident = (at: number, name: string): Expr => ({ op: "ident", at, name });
const call = (at: number, name: string, ...args: Expr[]): Expr => ({ op: "call", at, name, args });
const list = (at: number, ...items: Expr[]): Expr => ({ op: "list", at, items, optional: new Set() });
const accumulated = (at: number) => ident(at, ACCUMULATOR);

type Loop = { initial: Expr; condition: Expr; step: Expr; result: Expr };

function nameOf(expr: Expr | undefined, otherwise: string): string {
  if (expr?.op !== "ident") throw new MacroError(expr?.at ?? 0, otherwise);
  if (expr.name === ACCUMULATOR || expr.name === "__result__")
    throw new MacroError(expr.at, "iteration variable overwrites accumulator variable");
  return expr.name;
}

/** A macro over items alone (`x, …`), and the same over indexes and items (`i, x, …`). */
function overItems(name: string, otherwise: string, loop: (at: number, rest: Expr[], item: Expr) => Loop, sizes = [2]) {
  const one: Macro = ({ at, target, args }) => {
    const item = nameOf(args[0], otherwise);
    return {
      op: "fold",
      at,
      range: target,
      item,
      accumulator: ACCUMULATOR,
      ...loop(at, args.slice(1), args[0] as Expr),
    };
  };
  return sizes.map((size): [string, Macro] => [`.${name}/${size}`, one]);
}

function overPairs(name: string, loop: (at: number, rest: Expr[], key: string) => Loop, sizes = [3]) {
  const two: Macro = ({ at, target, args }) => {
    const item = nameOf(args[0], "argument must be a simple name");
    const second = nameOf(args[1], "argument must be a simple name");
    if (item === second) throw new MacroError(args[1]?.at ?? 0, `duplicate variable name: ${item}`);
    const rest = loop(at, args.slice(2), item);
    return { op: "fold", at, range: target, item, second, accumulator: ACCUMULATOR, ...rest };
  };
  return sizes.map((size): [string, Macro] => [`.${name}/${size}`, two]);
}

const all = (at: number, [predicate]: Expr[]): Loop => ({
  initial: literal(at, true),
  condition: call(at, "@not_strictly_false", accumulated(at)),
  step: call(at, "_&&_", accumulated(at), predicate as Expr),
  result: accumulated(at),
});

const exists = (at: number, [predicate]: Expr[]): Loop => ({
  initial: literal(at, false),
  condition: call(at, "@not_strictly_false", call(at, "!_", accumulated(at))),
  step: call(at, "_||_", accumulated(at), predicate as Expr),
  result: accumulated(at),
});

const existsOne = (at: number, [predicate]: Expr[]): Loop => ({
  initial: literal(at, 0n),
  condition: literal(at, true),
  step: when(at, predicate as Expr, call(at, "_+_", accumulated(at), literal(at, 1n))),
  result: call(at, "_==_", accumulated(at), literal(at, 1n)),
});

const when = (at: number, condition: Expr | undefined, step: Expr): Expr =>
  condition ? call(at, "_?_:_", condition, step, accumulated(at)) : step;

/** `filter` may be left out: the last of `rest` is what each becomes. */
const transformed = (rest: Expr[]) => ({
  value: rest.at(-1) as Expr,
  filter: rest.length > 1 ? rest[0] : undefined,
});

function listOf(at: number, filter: Expr | undefined, value: Expr): Loop {
  const step = call(at, "_+_", accumulated(at), list(at, value));
  return {
    initial: list(at),
    condition: literal(at, true),
    step: when(at, filter, step),
    result: accumulated(at),
  };
}

function mapOf(at: number, filter: Expr | undefined, ...inserted: Expr[]): Loop {
  const step = call(at, "cel.@mapInsert", accumulated(at), ...inserted);
  return {
    initial: { op: "map", at, entries: [] },
    condition: literal(at, true),
    step: when(at, filter, step),
    result: accumulated(at),
  };
}

const has: Macro = ({ at, args: [arg] }) => {
  if (arg?.op !== "select") throw new MacroError(arg?.at ?? at, "invalid argument to has() macro");
  return { op: "select", at, operand: arg.operand, field: arg.field, isTest: true };
};

/** `optMap` and `optFlatMap`: of an optional with a value, what is made of that. */
const ofOptional =
  (name: string, wrap: (at: number, value: Expr) => Expr): Macro =>
  ({ at, target, args: [variable, value] }) => {
    if (variable?.op !== "ident")
      throw new MacroError(variable?.at ?? at, `${name}() variable name must be a simple identifier`);
    const bound: Expr = {
      op: "fold",
      at,
      range: list(at),
      item: "#unused",
      accumulator: variable.name,
      initial: { op: "call", at, name: "value", target, args: [] },
      condition: literal(at, false),
      step: ident(at, variable.name),
      result: value as Expr,
    };
    const hasValue: Expr = { op: "call", at, name: "hasValue", target, args: [] };
    return call(at, "_?_:_", hasValue, wrap(at, bound), call(at, "optional.none"));
  };

/** `list.sortBy(x, key)`: by the keys that a `map` makes. */
const sortBy: Macro = ({ at, target, args: [variable, key] }) => {
  const bound = ident(at, "@__sortBy_input__");
  const item = nameOf(
    variable,
    "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
  );
  const keys: Expr = {
    op: "fold",
    at,
    range: bound,
    item,
    accumulator: ACCUMULATOR,
    ...listOf(at, undefined, key as Expr),
  };
  return {
    op: "fold",
    at,
    range: list(at),
    item: "#unused",
    accumulator: "@__sortBy_input__",
    initial: target,
    condition: literal(at, false),
    step: ident(at, "@__sortBy_input__"),
    result: { op: "call", at, name: "@sortByAssociatedKeys", target: bound, args: [keys] },
  };
};

const NOT_SIMPLE = "argument must be a simple name";
const NO_IDENTIFIER = "argument is not an identifier";

export const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ["has/1", has],
  ...overItems("all", NOT_SIMPLE, all),
  ...overItems("exists", NOT_SIMPLE, exists),
  ...overItems("exists_one", NOT_SIMPLE, existsOne),
  ...overItems("existsOne", NOT_SIMPLE, existsOne),
  ...overItems(
    "map",
    NO_IDENTIFIER,
    (at, rest) => {
      const { filter, value } = transformed(rest);
      return listOf(at, filter, value);
    },
    [2, 3],
  ),
  ...overItems("filter", NO_IDENTIFIER, (at, [predicate], item) => listOf(at, predicate, item)),
  ...overPairs("all", all),
  ...overPairs("exists", exists),
  ...overPairs("exists_one", existsOne),
  ...overPairs("existsOne", existsOne),
  ...overPairs(
    "transformList",
    (at, rest) => {
      const { filter, value } = transformed(rest);
      return listOf(at, filter, value);
    },
    [3, 4],
  ),
  ...overPairs(
    "transformMap",
    (at, rest, key) => {
      const { filter, value } = transformed(rest);
      return mapOf(at, filter, ident(at, key), value);
    },
    [3, 4],
  ),
  ...overPairs(
    "transformMapEntry",
    (at, rest) => {
      const { filter, value } = transformed(rest);
      return mapOf(at, filter, value);
    },
    [3, 4],
  ),
  [".optMap/2", ofOptional("optMap", (at, value) => call(at, "optional.of", value))],
  [".optFlatMap/2", ofOptional("optFlatMap", (_, value) => value)],
  [".sortBy/2", sortBy],
]);
