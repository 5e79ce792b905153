import { labelValueProblems, qualifiedNameProblems } from "./names.ts";
import { type Operator, type Requirement, SelectorError } from "./selectors.ts";

/**
 * The texts of `?labelSelector=` and `?fieldSelector=`.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
 */
type Token = { kind: "word" | "symbol" | "end" | "error"; text: string };

const SYMBOLS = new Set([")", ",", "!", "==", "=", ">", "<", "!=", "("]);
const isSpace = (c: string) => c === " " || c === "\t" || c === "\r" || c === "\n";
const isSymbol = (c: string) => "=!(),><".includes(c);

function* tokens(text: string): Generator<Token> {
  let at = 0;
  while (true) {
    while (at < text.length && isSpace(text.charAt(at))) at++;
    if (at >= text.length) {
      yield { kind: "end", text: "" };
      continue;
    }
    const start = at;
    if (isSymbol(text.charAt(at))) {
      let end = at + 1;
      if (SYMBOLS.has(text.slice(at, at + 2))) end++;
      at = end;
      const symbol = text.slice(start, end);
      yield SYMBOLS.has(symbol) ? { kind: "symbol", text: symbol } : { kind: "error", text: symbol };
      continue;
    }
    while (at < text.length && !isSpace(text.charAt(at)) && !isSymbol(text.charAt(at))) at++;
    yield { kind: "word", text: text.slice(start, at) };
  }
}

const binaryOperators: Record<string, Operator> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

/** `?labelSelector=`. Requirements come sorted by key. Throws `SelectorError`. */
export function parseLabelSelector(text: string): Requirement[] {
  return new SelectorParser(text).parse().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

class SelectorParser {
  private readonly tokens: Generator<Token>;
  private next: Token = { kind: "end", text: "" };

  constructor(text: string) {
    this.tokens = tokens(text);
    this.take();
  }

  parse(): Requirement[] {
    const found: Requirement[] = [];
    while (this.next.kind !== "end") {
      if (!this.startsRequirement()) fail(this.next, "!, identifier, or 'end of string'");
      try {
        found.push(this.requirement());
      } catch (error) {
        if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
        throw error;
      }
      const after = this.take();
      if (after.kind === "end") return found;
      if (after.text !== ",") fail(after, "',' or 'end of string'");
      if (!this.startsRequirement()) fail(this.next, "identifier after ','");
    }
    return found;
  }

  private startsRequirement(): boolean {
    return this.next.kind === "word" || this.isNext("!");
  }

  private take(): Token {
    const taken = this.next;
    this.next = this.tokens.next().value;
    return taken;
  }

  private isNext(symbol: string): boolean {
    return this.next.kind === "symbol" && this.next.text === symbol;
  }

  private endsRequirement(): boolean {
    return this.next.kind === "end" || this.isNext(",");
  }

  private requirement(): Requirement {
    const negated = this.isNext("!");
    if (negated) this.take();
    const key = this.take();
    if (key.kind !== "word") fail(key, "identifier");
    const problems = qualifiedNameProblems(key.text);
    if (problems.length)
      throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key.text)}: ${problems.join("; ")}`);
    if (negated) return { key: key.text, operator: "!", values: [] };
    if (this.endsRequirement()) return { key: key.text, operator: "exists", values: [] };
    const token = this.take();
    const operator = token.kind === "error" ? undefined : binaryOperators[token.text];
    if (!operator) fail(token, "in, notin, =, ==, !=, gt, lt");
    const values = operator === "in" || operator === "notin" ? this.list() : [this.value()];
    checkValues(key.text, operator, values);
    return { key: key.text, operator, values };
  }

  private value(): string {
    if (this.endsRequirement()) return "";
    const token = this.take();
    if (token.kind !== "word") fail(token, "identifier");
    return token.text;
  }

  private list(): string[] {
    const open = this.take();
    if (open.text !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    if (this.isNext(")")) {
      this.take();
      return [""];
    }
    if (this.next.kind !== "word" && !this.isNext(",")) fail(this.next, "',', ')' or identifier");
    for (let expectValue = true; ; ) {
      const token = this.take();
      if (token.kind === "word" && expectValue) {
        values.add(token.text);
        if (!this.isNext(",") && !this.isNext(")")) fail(this.next, "',' or ')'");
        expectValue = false;
      } else if (token.text === ",") {
        if (expectValue || this.isNext(")")) values.add("");
        expectValue = true;
        if (this.isNext(")")) expectValue = false;
      } else if (token.text === ")") {
        return [...values].sort();
      } else {
        fail(token, "',', or identifier");
      }
    }
  }
}

function fail(token: Token, expected: string): never {
  if (token.kind === "error")
    throw new SelectorError(`found 'error expected: keyword found '${token.text}'', expected: ${expected}`);
  throw new SelectorError(`found '${token.text}', expected: ${expected}`);
}

function checkValues(key: string, operator: Operator, values: readonly string[]): void {
  const problems: string[] = [];
  if ((operator === "in" || operator === "notin") && values.length === 0)
    problems.push("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  values.forEach((value, index) => {
    if ((operator === "gt" || operator === "lt") && !/^[-+]?[0-9]+$/.test(value))
      problems.push(
        `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
  });
  values.forEach((value, index) => {
    const bad = labelValueProblems(value);
    if (bad.length)
      problems.push(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${bad.join("; ")}`);
  });
  if (problems.length) throw new SelectorError(problems.length === 1 ? `${problems[0]}` : `[${problems.join(", ")}]`);
}

export type FieldRequirement = { field: string; operator: "=" | "!="; value: string };

/** `?fieldSelector=`: terms joined by commas, with `\` before a comma, `=` or `\` in a value. Throws `SelectorError`. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== "")
    .map((term) => {
      const split = /^((?:\\.|[^\\=!]|!(?!=))*?)(!=|==|=)(.*)$/s.exec(term);
      if (!split) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = "", operator, value = ""] = split;
      return { field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) };
    });
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === ",") {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(value: string): string {
  let plain = "";
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === "\\") {
      const escaped = value.charAt(++at);
      if (escaped === "" || !"\\,=".includes(escaped))
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped}`);
      plain += escaped;
    } else if (char === "," || char === "=") {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${char}`);
    } else plain += char;
  }
  return plain;
}

export const matchesFields = (all: readonly FieldRequirement[], read: (field: string) => string): boolean =>
  all.every(({ field, operator, value }) => (read(field) === value) === (operator === "="));
