/** Expressions as text into syntax trees. https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax */
import { type Token, tokenize, unquote, unquoteBytes } from "./lexer.ts";
import { type Macro, MacroError } from "./macros.ts";
import type { Entry, Expr, Issue, StructField } from "./syntax.ts";
import { CelUint } from "./values.ts";

export type Parsed = { expr?: Expr; issues: Issue[] };

const MAX_CODE_POINTS = 100_000;
const MAX_DEPTH = 250;

/** The tree, or what is wrong. Macros are looked up by `name/arguments`, those with a receiver by `.name/arguments`. */
export function parse(source: string, macros: ReadonlyMap<string, Macro>): Parsed {
  const size = source.length > MAX_CODE_POINTS ? [...source].length : source.length;
  if (size > MAX_CODE_POINTS) {
    const message = `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}`;
    return { issues: [{ at: -1, message }] };
  }
  const issues: Issue[] = [];
  const parser = new Parser(tokenize(source, issues), macros, issues);
  try {
    const expr = parser.whole();
    return issues.length ? { issues } : { expr, issues };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    issues.push({ at: error.at, message: error.message });
    return { issues };
  }
}

class SyntaxProblem extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const RESERVED = new Set(
  "as break const continue else false for function if import in let loop package namespace null return true var void while".split(
    " ",
  ),
);
const RELATIONS = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);
const STARTS = ["'['", "'{'", "'('", "'.'", "'-'", "'!'", "'true'", "'false'", "'null'"];
const STARTS_REST = ["NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER"];
const expecting = (before: readonly string[]) => `{${[...before, ...STARTS_REST].join(", ")}}`;
/** Where the name of a field may stand. */
const fieldExpected = (isOptional: boolean, isNext: boolean): string => {
  const before = isOptional ? [] : isNext ? ["'}'", "'?'"] : ["'}'", "','", "'?'"];
  return `{${[...before, "IDENTIFIER", "ESC_IDENTIFIER"].join(", ")}}`;
};
const EXPRESSION = expecting(STARTS);
const INDEX = expecting([...STARTS.slice(0, 6), "'?'", ...STARTS.slice(6)]);
const ARGUMENT = expecting([...STARTS.slice(0, 3), "')'", ...STARTS.slice(3)]);

class Parser {
  private readonly tokens: readonly Token[];
  private readonly macros: ReadonlyMap<string, Macro>;
  private readonly issues: Issue[];
  private next = 0;
  private depth = 0;

  constructor(tokens: readonly Token[], macros: ReadonlyMap<string, Macro>, issues: Issue[]) {
    this.tokens = tokens;
    this.macros = macros;
    this.issues = issues;
  }

  whole(): Expr {
    const expr = this.expression();
    if (this.token.kind !== "end") throw this.unexpected("<EOF>", this.after.kind === "end");
    return expr;
  }

  private get token(): Token {
    return this.tokens[this.next] as Token;
  }

  private get after(): Token {
    return this.tokens[Math.min(this.next + 1, this.tokens.length - 1)] as Token;
  }

  private is(text: string): boolean {
    const { kind, text: found } = this.token;
    return found === text && (kind === "symbol" || kind === "ident");
  }

  private take(text: string): Token | undefined {
    return this.is(text) ? this.tokens[this.next++] : undefined;
  }

  private unexpected(wanted: string, isExtra = false): SyntaxProblem {
    const { at, text } = this.token;
    return new SyntaxProblem(
      at,
      `Syntax error: ${isExtra ? "extraneous" : "mismatched"} input '${text}' expecting ${wanted}`,
    );
  }

  /** A closing bracket or colon, whose absence is told apart from a token too many. */
  private expect(text: string, canBeMissing: boolean): Token {
    const found = this.take(text);
    if (found) return found;
    if (this.after.text === text) throw this.unexpected(`'${text}'`, true);
    if (!canBeMissing) throw this.unexpected(`'${text}'`);
    throw new SyntaxProblem(this.token.at, `Syntax error: missing '${text}' at '${this.token.text}'`);
  }

  private startsExpression({ kind, text }: Token): boolean {
    if (kind === "end") return false;
    return kind === "symbol" ? "[{(.-!".includes(text) : text !== "in";
  }

  private expression(wanted = EXPRESSION): Expr {
    if (++this.depth > MAX_DEPTH) throw new SyntaxProblem(-1, `expression recursion limit exceeded: ${MAX_DEPTH}`);
    if (!this.startsExpression(this.token)) throw this.unexpected(wanted, this.startsExpression(this.after));
    const condition = this.logical("||");
    const question = this.take("?");
    if (question) {
      const yes = this.logical("||");
      this.expect(":", this.startsExpression(this.token));
      const no = this.expression();
      this.depth--;
      return call(question.at, "_?_:_", [condition, yes, no]);
    }
    this.depth--;
    return condition;
  }

  /** `||` of `&&` of relations: a tree as flat as it can be. */
  private logical(operator: "||" | "&&"): Expr {
    const term = () => (operator === "||" ? this.logical("&&") : this.relation());
    const terms = [term()];
    const places: number[] = [];
    for (let token = this.take(operator); token; token = this.take(operator)) {
      places.push(token.at);
      terms.push(term());
    }
    return places.length ? balanced(`_${operator}_`, terms, places, 0, places.length - 1) : (terms[0] as Expr);
  }

  private relation(): Expr {
    let left = this.calculation();
    while (RELATIONS.has(this.token.text) && this.token.kind !== "string") {
      const { at, text } = this.tokens[this.next++] as Token;
      left = call(at, text === "in" ? "@in" : `_${text}_`, [left, this.calculation()]);
    }
    return left;
  }

  private calculation(): Expr {
    let left = this.product();
    while (this.is("+") || this.is("-")) {
      const { at, text } = this.tokens[this.next++] as Token;
      left = call(at, `_${text}_`, [left, this.product()]);
    }
    return left;
  }

  private product(): Expr {
    let left = this.unary();
    while (this.is("*") || this.is("/") || this.is("%")) {
      const { at, text } = this.tokens[this.next++] as Token;
      left = call(at, `_${text}_`, [left, this.unary()]);
    }
    return left;
  }

  private unary(): Expr {
    if (!this.startsExpression(this.token)) throw this.unexpected(EXPRESSION, this.startsExpression(this.after));
    const first = this.token;
    const isNumber = this.after.kind === "int" || this.after.kind === "float";
    if (this.is("-") && isNumber) {
      this.next++;
      return this.member(this.number(first));
    }
    for (const [operator, name] of [
      ["!", "!_"],
      ["-", "-_"],
    ] as const) {
      let count = 0;
      while (this.take(operator)) count++;
      if (!count) continue;
      if (!this.startsExpression(this.token)) throw this.unexpected(EXPRESSION, true);
      const operand = this.member(this.primary());
      return count % 2 ? call(first.at, name, [operand]) : operand;
    }
    return this.member(this.primary());
  }

  private member(operand: Expr): Expr {
    let expr = operand;
    for (let steps = 0; ; steps++) {
      if (steps > MAX_DEPTH) throw new SyntaxProblem(-1, `expression recursion limit exceeded: ${MAX_DEPTH}`);
      if (this.is(".")) expr = this.selection(expr);
      else if (this.is("[")) expr = this.index(expr);
      else return expr;
    }
  }

  private selection(operand: Expr): Expr {
    const dot = this.expect(".", false);
    const isOptional = this.take("?") !== undefined;
    const name = this.token;
    if (name.kind !== "ident" || ["true", "false", "null", "in"].includes(name.text))
      throw new SyntaxProblem(
        name.at,
        `Syntax error: no viable alternative at input '.${name.kind === "end" ? "" : name.text}'`,
      );
    this.next++;
    if (isOptional) return call(dot.at, "_?._", [operand, literal(name.at, name.text)]);
    const open = this.take("(");
    if (!open) return { op: "select", at: dot.at, operand, field: name.text, isTest: false };
    const args = this.args();
    return this.expand(open.at, name.text, args, operand);
  }

  private index(operand: Expr): Expr {
    const open = this.expect("[", false);
    const isOptional = this.take("?") !== undefined;
    const index = this.expression(INDEX);
    this.expect("]", true);
    return call(open.at, isOptional ? "_[?_]" : "_[_]", [operand, index]);
  }

  private args(): Expr[] {
    const args: Expr[] = [];
    if (this.take(")")) return args;
    do args.push(this.expression(args.length ? EXPRESSION : ARGUMENT));
    while (this.take(","));
    this.expect(")", true);
    return args;
  }

  private expand(at: number, name: string, args: Expr[], target?: Expr): Expr {
    const macro = this.macros.get(`${target ? "." : ""}${name}/${args.length}`);
    if (!macro) return { op: "call", at, name, args, ...(target && { target }) };
    try {
      return macro({ at, args, target: target as Expr }) ?? { op: "call", at, name, args, ...(target && { target }) };
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      this.issues.push({ at: error.at, message: error.message });
      return literal(at, null);
    }
  }

  private primary(): Expr {
    const token = this.token;
    switch (token.kind) {
      case "int":
      case "float":
        return this.number();
      case "uint":
        this.next++;
        return this.checked(token, "uint", BigInt(token.text.slice(0, -1)), 0n, 2n ** 64n - 1n);
      case "string": {
        this.next++;
        const text = unquote(token.text);
        if (text === undefined) this.issues.push({ at: token.at, message: "invalid unicode code point" });
        return literal(token.at, text ?? "");
      }
      case "bytes":
        this.next++;
        return literal(token.at, unquoteBytes(token.text));
      case "ident":
        return this.named();
      default:
        return this.bracketed();
    }
  }

  /** `sign` is a minus before it. */
  private number(sign?: Token): Expr {
    const token = this.tokens[this.next++] as Token;
    const at = (sign ?? token).at;
    if (token.kind === "float") return literal(at, Number(`${sign ? "-" : ""}${token.text}`));
    const value = BigInt(token.text) * (sign ? -1n : 1n);
    return this.checked({ ...token, at }, "int", value, -(2n ** 63n), 2n ** 63n - 1n);
  }

  private checked({ at }: Token, type: "int" | "uint", value: bigint, least: bigint, most: bigint): Expr {
    if (value < least || value > most) this.issues.push({ at, message: `invalid ${type} literal` });
    return literal(at, type === "uint" ? new CelUint(value) : value);
  }

  private named(leading?: Token): Expr {
    const token = this.tokens[this.next++] as Token;
    const constants: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };
    if (!leading && Object.hasOwn(constants, token.text)) return literal(token.at, constants[token.text]);
    const struct = this.struct(token, leading);
    if (struct) return struct;
    if (RESERVED.has(token.text))
      this.issues.push({ at: (leading ?? token).at, message: `reserved identifier: ${token.text}` });
    const name = `${leading ? "." : ""}${token.text}`;
    const open = this.take("(");
    if (!open) return { op: "ident", at: token.at, name };
    return this.expand(open.at, name, this.args());
  }

  /** `a.b.Name{field: value}`, where that is what follows. */
  private struct(first: Token, leading?: Token): Expr | undefined {
    let at = this.next;
    const names = [first.text];
    const text = (index: number) => this.tokens[index]?.text;
    while (text(at) === "." && this.tokens[at + 1]?.kind === "ident") {
      names.push(text(at + 1) ?? "");
      at += 2;
    }
    const open = this.tokens[at];
    if (open?.text !== "{" || open.kind !== "symbol") return undefined;
    this.next = at + 1;
    const fields: StructField[] = [];
    while (!this.is("}")) {
      const isOptional = this.take("?") !== undefined;
      const name = this.token;
      if (name.kind !== "ident") throw this.unexpected(fieldExpected(isOptional, fields.length > 0));
      this.next++;
      const colon = this.expect(":", this.startsExpression(this.token));
      fields.push({ at: colon.at, name: name.text, value: this.expression(), isOptional });
      if (!this.take(",")) break;
    }
    if (!this.take("}")) throw this.unexpected("{'}', ','}", this.after.text === "}");
    return { op: "struct", at: open.at, name: `${leading ? "." : ""}${names.join(".")}`, fields };
  }

  private bracketed(): Expr {
    const token = this.tokens[this.next++] as Token;
    switch (token.text) {
      case "(": {
        const expr = this.expression();
        this.expect(")", true);
        return expr;
      }
      case "[":
        return this.list(token);
      case "{":
        return this.map(token);
      case ".":
        if (this.token.kind === "ident") return this.named(token);
        throw this.unexpected("IDENTIFIER");
      default:
        this.next--;
        throw this.unexpected(EXPRESSION);
    }
  }

  private list(open: Token): Expr {
    const items: Expr[] = [];
    const optional = new Set<number>();
    while (!this.is("]")) {
      if (this.is(",")) throw this.unexpected("']'");
      if (this.take("?")) optional.add(items.length);
      items.push(this.expression());
      if (!this.take(",")) break;
    }
    if (!this.take("]")) throw this.unexpected("{']', ','}", this.after.text === "]");
    return { op: "list", at: open.at, items, optional };
  }

  private map(open: Token): Expr {
    const entries: Entry[] = [];
    while (!this.is("}")) {
      const isOptional = this.take("?") !== undefined;
      const key = this.expression();
      this.expect(":", this.startsExpression(this.token));
      entries.push({ key, value: this.expression(), isOptional });
      if (!this.take(",")) break;
    }
    if (!this.take("}")) throw this.unexpected("{'}', ','}", this.after.text === "}");
    return { op: "map", at: open.at, entries };
  }
}

const literal = (at: number, value: unknown): Expr => ({ op: "literal", at, value });
const call = (at: number, name: string, args: Expr[]): Expr => ({ op: "call", at, name, args });

function balanced(name: string, terms: readonly Expr[], places: readonly number[], low: number, high: number): Expr {
  const middle = Math.floor((low + high + 1) / 2);
  const left = middle === low ? (terms[middle] as Expr) : balanced(name, terms, places, low, middle - 1);
  const right = middle === high ? (terms[middle + 1] as Expr) : balanced(name, terms, places, middle + 1, high);
  return call(places[middle] as number, name, [left, right]);
}
