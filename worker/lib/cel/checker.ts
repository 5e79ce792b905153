/**
 * Finds the type of every part of an expression and which functions it calls.
 * https://github.com/google/cel-spec/blob/master/doc/langdef.md#overload-resolution
 */
import type { Declared, Environment } from "./environment.ts";
import { type Call, childrenOf, type Expr, type Fold, type Issue, qualifiedName } from "./syntax.ts";
import {
  assignable,
  BOOL,
  DYN,
  ERROR,
  formatType,
  INT,
  isDyn,
  isDynOrError,
  isOptional,
  listOf,
  mapOf,
  mostGeneral,
  optionalOf,
  param,
  STRING,
  type Substitutions,
  sameType,
  structType,
  substitute,
  TYPE_NAMES,
  type Type,
  typeOfType,
  unwrapOptional,
} from "./types.ts";
import { kindOf } from "./values.ts";

/** Fills in `type` and `overloads` throughout; what is wrong comes back, in no order. */
export function check(expr: Expr, environment: Environment): Issue[] {
  const checker = new Checker(environment);
  checker.check(expr);
  if (!checker.issues.length) checker.settle(expr);
  return checker.issues;
}

type Scope = { names: ReadonlyMap<string, Type>; outer: Scope | undefined };

class Checker {
  readonly issues: Issue[] = [];
  private readonly environment: Environment;
  private known: Substitutions = new Map();
  private scope: Scope | undefined;
  private parameters = 0;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** Types that nothing has determined are dyn. */
  settle(expr: Expr, seen = new Set<Expr>()): void {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.type) expr.type = substitute(this.known, expr.type, true);
    for (const child of childrenOf(expr)) this.settle(child, seen);
  }

  check(expr: Expr): Type {
    expr.type = this.typeOf(expr);
    return expr.type;
  }

  private report(at: number, message: string): Type {
    this.issues.push({ at, message });
    return ERROR;
  }

  private typeOf(expr: Expr): Type {
    switch (expr.op) {
      case "literal":
        return literalType(expr.value);
      case "ident": {
        const found = this.lookup(expr.name);
        if (!found) return this.undeclared(expr.at, expr.name);
        if (found.value) expr.resolved = found.value;
        return found.type;
      }
      case "select":
        return this.selectType(expr);
      case "call":
        return this.callType(expr);
      case "list": {
        let items: Type | undefined;
        for (const [index, item] of expr.items.entries())
          items = this.join(items, this.present(item, expr.optional.has(index)));
        return listOf(items ?? this.fresh());
      }
      case "map": {
        let keys: Type | undefined;
        let values: Type | undefined;
        for (const { key, value, isOptional: mayMiss } of expr.entries) {
          keys = this.join(keys, this.check(key));
          values = this.join(values, this.present(value, mayMiss));
        }
        return mapOf(keys ?? this.fresh(), values ?? this.fresh());
      }
      case "struct":
        return this.structType(expr);
      case "fold":
        return this.foldType(expr);
    }
  }

  private lookup(name: string): { type: Type; value?: Type } | undefined {
    for (let scope = this.scope; scope; scope = scope.outer) {
      const type = scope.names.get(name);
      if (type) return { type };
    }
    const plain = name.replace(/^\./, "");
    const type = this.environment.variables.get(plain);
    if (type) return { type };
    const value = TYPE_NAMES.get(plain) ?? (this.environment.types.hasType(plain) ? structType(plain) : undefined);
    return value && { type: typeOfType(value), value };
  }

  private undeclared(at: number, name: string): Type {
    return this.report(at, `undeclared reference to '${name}' (in container '')`);
  }

  private fresh(): Type {
    return param(`_var${this.parameters++}`);
  }

  private assign(wanted: readonly Type[], given: readonly Type[]): boolean {
    const learned = assignable(this.known, wanted, given);
    if (learned) this.known = learned;
    return learned !== undefined;
  }

  private mismatch(at: number, wanted: Type, found: Type): Type {
    return this.report(at, `expected type '${formatType(wanted)}' but found '${formatType(found)}'`);
  }

  /** The type of an element; of an optional one, what is inside. */
  private present(expr: Expr, mayMiss: boolean): Type {
    const type = this.check(expr);
    if (!mayMiss) return type;
    if (!isOptional(type) && !isDyn(type)) this.mismatch(expr.at, optionalOf(type), type);
    return unwrapOptional(type);
  }

  /** Elements of several types are seen to be wrong later, where they are. */
  private join(before: Type | undefined, type: Type): Type {
    if (!before) return type;
    return this.assign([before], [type]) ? mostGeneral(before, type) : DYN;
  }

  private selectType(expr: Expr & { op: "select" }): Type {
    const name = qualifiedName(expr);
    const found = name && !this.isShadowed(name) ? this.lookup(name) : undefined;
    if (found) {
      // The whole chain is one name.
      Object.assign(expr, { op: "ident", name, ...(found.value && { resolved: found.value }) });
      return found.type;
    }
    const type = this.fieldType(expr.at, expr.operand, expr.field, false);
    return expr.isTest ? BOOL : substitute(this.known, type, false);
  }

  /** Names of loops stand before qualified names. */
  private isShadowed(name: string): boolean {
    const first = name.split(".")[0] as string;
    for (let scope = this.scope; scope; scope = scope.outer) if (scope.names.has(first)) return true;
    return false;
  }

  private fieldType(at: number, operand: Expr, field: string, mayMiss: boolean): Type {
    const given = substitute(this.known, this.check(operand), false);
    const target = unwrapOptional(given);
    const type = this.fieldOf(at, target, field);
    return isOptional(given) || mayMiss ? optionalOf(type) : type;
  }

  private fieldOf(at: number, target: Type, field: string): Type {
    switch (target.kind) {
      case "map":
        return target.params[1] as Type;
      case "struct":
        return this.declaredField(at, target.name, field);
      case "param":
        this.assign([DYN], [target]);
        return DYN;
      default:
        if (!isDynOrError(target)) this.report(at, `type '${formatType(target)}' does not support field selection`);
        return DYN;
    }
  }

  private declaredField(at: number, type: string, field: string): Type {
    const { types } = this.environment;
    if (!types.hasType(type)) return this.report(at, `unexpected failed resolution of '${type}'`);
    return types.field(type, field) ?? this.report(at, `undefined field '${field}'`);
  }

  private callType(expr: Expr & Call): Type {
    if (expr.name === "_?._") return this.optionalField(expr);
    for (const arg of expr.args) this.check(arg);
    if (!expr.target) {
      const declared = this.environment.find(expr.name.replace(/^\./, ""));
      return declared ? this.resolve(expr, declared, expr.args) : this.undeclared(expr.at, expr.name);
    }
    const prefix = qualifiedName(expr.target);
    const qualified = prefix === undefined ? undefined : this.environment.find(`${prefix}.${expr.name}`);
    if (qualified) {
      // The receiver is no value but the first part of the function's name.
      expr.name = qualified.name;
      delete expr.target;
      return this.resolve(expr, qualified, expr.args);
    }
    this.check(expr.target);
    const declared = this.environment.find(expr.name);
    if (!declared) return this.undeclared(expr.at, expr.name);
    return this.resolve(expr, declared, [expr.target, ...expr.args]);
  }

  private optionalField(expr: Expr & Call): Type {
    const [operand, field] = expr.args as [Expr, Expr];
    field.type = STRING;
    expr.overloads = ["select_optional_field"];
    const name = (field as { value?: unknown }).value as string;
    return substitute(this.known, this.fieldType(expr.at, operand, name, true), false);
  }

  private resolve(expr: Expr & Call, declared: Declared, given: readonly Expr[]): Type {
    const types = given.map(({ type }) => type as Type);
    if (declared.name === "_&&_" || declared.name === "_||_") return this.logicalType(expr, declared, given);
    const matching: string[] = [];
    let result: Type | undefined;
    for (const overload of declared.overloads) {
      if (overload.isMember !== (expr.target !== undefined)) continue;
      const renamed: Substitutions = new Map();
      const named = (type: Type): Type => (overload.isGeneric ? this.renamed(type, renamed) : type);
      const wanted = overload.params.map(named);
      const returned = named(overload.result);
      if (!this.assign(types, wanted)) continue;
      matching.push(overload.id);
      const type = substitute(this.known, returned, false);
      if (!result) result = type;
      else if (!isDyn(result) && !sameType(type, result)) result = DYN;
    }
    if (!result) return this.noOverload(expr, declared.name, types);
    expr.overloads = matching;
    return result;
  }

  /** Each use of a function has parameters of its own. */
  private renamed(type: Type, names: Substitutions): Type {
    if (type.kind === "param") {
      const known = names.get(type.name) ?? this.fresh();
      names.set(type.name, known);
      return known;
    }
    if (!type.params.length) return type;
    return { ...type, params: type.params.map((inner) => this.renamed(inner, names)) };
  }

  private logicalType(expr: Expr & Call, declared: Declared, given: readonly Expr[]): Type {
    let isWrong = false;
    for (const arg of given) {
      if (this.assign([arg.type as Type], [BOOL])) continue;
      this.mismatch(arg.at, BOOL, arg.type as Type);
      isWrong = true;
    }
    if (isWrong) return ERROR;
    expr.overloads = declared.overloads.map(({ id }) => id);
    return BOOL;
  }

  private noOverload(expr: Expr & Call, name: string, types: readonly Type[]): Type {
    const shown = types.map((type) => formatType(substitute(this.known, type, true)));
    const receiver = expr.target ? `${shown.shift()}.` : "";
    return this.report(
      expr.at,
      `found no matching overload for '${name}' applied to '${receiver}(${shown.join(", ")})'`,
    );
  }

  private structType(expr: Expr & { op: "struct" }): Type {
    const name = expr.name.replace(/^\./, "");
    if (!this.environment.types.hasType(name)) return this.undeclared(expr.at, expr.name);
    expr.name = name;
    for (const { at, name: field, value, isOptional: mayMiss } of expr.fields) {
      this.check(value);
      const wanted = this.declaredField(at, name, field);
      let found = value.type as Type;
      if (mayMiss) {
        if (!isOptional(found) && !isDyn(found)) this.mismatch(value.at, optionalOf(found), found);
        found = unwrapOptional(found);
      }
      if (!this.assign([wanted], [found]))
        this.report(
          at,
          `expected type of field '${field}' is '${formatType(wanted)}' but provided type is '${formatType(found)}'`,
        );
    }
    return structType(name);
  }

  private foldType(fold: Expr & Fold): Type {
    this.check(fold.range);
    const accumulated = this.check(fold.initial);
    const range = substitute(this.known, fold.range.type as Type, false);
    const outer = this.scope;
    const loop: Scope = { names: new Map([[fold.accumulator, accumulated]]), outer };
    this.scope = { names: this.loopNames(fold, range), outer: loop };
    this.expectType(fold.condition, BOOL);
    this.expectType(fold.step, accumulated);
    this.scope = loop;
    const result = this.check(fold.result);
    this.scope = outer;
    return substitute(this.known, result, false);
  }

  private expectType(expr: Expr, wanted: Type): void {
    const type = this.check(expr);
    if (!this.assign([wanted], [type])) this.mismatch(expr.at, wanted, type);
  }

  private loopNames({ range, item, second }: Fold, type: Type): Map<string, Type> {
    const [first, last] = this.itemTypes(range, type);
    if (second === undefined) return new Map([[item, type.kind === "list" ? last : first]]);
    return new Map([
      [item, first],
      [second, last],
    ]);
  }

  /** Of indexes or keys, and of items or values. */
  private itemTypes(range: Expr, type: Type): [Type, Type] {
    const [first, second] = type.params as [Type, Type];
    switch (type.kind) {
      case "list":
        return [INT, first];
      case "map":
        return [first, second];
      case "dyn":
      case "error":
      case "param":
        this.assign([DYN], [type]);
        return [DYN, DYN];
      default:
        this.report(
          range.at,
          `expression of type '${formatType(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [ERROR, ERROR];
    }
  }
}

const literalType = (value: unknown): Type => {
  const kind = kindOf(value);
  return TYPE_NAMES.get(kind === "null" ? "null_type" : kind) as Type;
};
