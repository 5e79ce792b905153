/**
 * JSON texts of clients: read with a limit on nesting, and refused in the words of Go's encoding/json, which reach
 * clients in messages. https://pkg.go.dev/encoding/json#SyntaxError
 */
import { goQuoted } from "./status.ts";

/** Lists and objects within each other, at most: code that walks a document must not outgrow the stack. */
export const MAX_JSON_DEPTH = 1000;

export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** Throws JsonError. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonError(problem(text) ?? (error as Error).message);
  }
  if (isDeep(text)) throw new JsonError(problem(text) ?? "exceeded max depth");
  return value;
}

/** Why a text is not a JSON object; undefined when it is one. */
export function jsonObjectProblem(text: string): string | undefined {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return error.message;
    throw error;
  }
  if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
  return `json: cannot unmarshal ${jsonWord(value)} into Go value of type map[string]interface {}`;
}

/** Go's word for the type of a JSON value that is not null. */
export const jsonWord = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

/** Whether valid JSON text nests deeper than the limit. */
function isDeep(text: string): boolean {
  if (text.length < 2 * MAX_JSON_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth--;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

function problem(text: string): string | undefined {
  try {
    new Scanner(text).document();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
}

class SyntaxProblem extends Error {}

const quoted = (char: string) => (char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${goQuoted(char).slice(1, -1)}'`);

/** Keeps what is open in a list, since texts nest deeper than the stack would bear. */
class Scanner {
  private readonly text: string;
  private readonly open: ("{" | "[")[] = [];
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): void {
    do this.value();
    while (!this.ended());
    this.space();
    if (this.at < this.text.length) this.fail("after top-level value");
  }

  /** Reads a value, or as far as the first value inside it. */
  private value(): void {
    this.space();
    const char = this.text[this.at];
    if (char === "{" || char === "[") this.enter(char);
    else if (char === '"') this.string();
    else if (char === "t") this.literal("true");
    else if (char === "f") this.literal("false");
    else if (char === "n") this.literal("null");
    else if (char !== undefined && /[-0-9]/.test(char)) this.number();
    else this.fail("looking for beginning of value");
  }

  private enter(char: "{" | "["): void {
    if (this.open.length === MAX_JSON_DEPTH) this.fail("exceeded max depth");
    this.open.push(char);
    this.at++;
    this.space();
    if (this.text[this.at] === (char === "{" ? "}" : "]")) return;
    if (char === "{") this.key();
    this.value();
  }

  /** After a value: closes what ends here, and goes on to the next value. True when nothing is open any more. */
  private ended(): boolean {
    for (let open = this.open.at(-1); open; open = this.open.at(-1)) {
      this.space();
      const char = this.text[this.at];
      const isEnd = char === (open === "{" ? "}" : "]");
      if (!isEnd && char !== ",") this.fail(open === "{" ? "after object key:value pair" : "after array element");
      this.at++;
      if (isEnd) this.open.pop();
      else {
        this.space();
        if (open === "{") this.key();
        return false;
      }
    }
    return true;
  }

  private key(): void {
    if (this.text[this.at] !== '"') this.fail("looking for beginning of object key string");
    this.string();
    this.space();
    if (this.text[this.at] !== ":") this.fail("after object key");
    this.at++;
  }

  private space(): void {
    while (" \t\r\n".includes(this.text[this.at] ?? "x")) this.at++;
  }

  private fail(context: string): never {
    const char = this.text[this.at];
    if (char === undefined) throw new SyntaxProblem("unexpected end of JSON input");
    throw new SyntaxProblem(`invalid character ${quoted(char)} ${context}`);
  }

  private literal(word: string): void {
    for (const letter of word) {
      if (this.text[this.at] !== letter) this.fail(`in literal ${word} (expecting ${quoted(letter)})`);
      this.at++;
    }
  }

  private string(): void {
    this.at++;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || char < " ") this.fail("in string literal");
      this.at++;
      if (char === '"') return;
      if (char !== "\\") continue;
      const code = this.text[this.at];
      if (code === undefined || !'"\\/bfnrtu'.includes(code)) this.fail("in string escape code");
      this.at++;
      for (let digit = 0; code === "u" && digit < 4; digit++, this.at++)
        if (!/[0-9a-fA-F]/.test(this.text[this.at] ?? "")) this.fail("in \\u hexadecimal character escape");
    }
  }

  private number(): void {
    if (this.text[this.at] === "-") this.at++;
    if (this.text[this.at] === "0") this.at++;
    else this.digits("in numeric literal");
    if (this.text[this.at] === ".") {
      this.at++;
      this.digits("after decimal point in numeric literal");
    }
    if (/[eE]/.test(this.text[this.at] ?? "")) {
      this.at++;
      if (/[-+]/.test(this.text[this.at] ?? "")) this.at++;
      this.digits("in exponent of numeric literal");
    }
  }

  private digits(context: string): void {
    if (!/[0-9]/.test(this.text[this.at] ?? "")) this.fail(context);
    while (/[0-9]/.test(this.text[this.at] ?? "")) this.at++;
  }
}
