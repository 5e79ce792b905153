/**
 * Why a text is not a JSON object, in the words of Go's encoding/json, which reach clients in messages.
 * https://pkg.go.dev/encoding/json#SyntaxError
 */
export function jsonObjectProblem(text: string): string | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
    scanner.end();
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}

class SyntaxProblem extends Error {}

const quoted = (char: string) =>
  char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`;

class Scanner {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(): void {
    this.space();
    const char = this.text[this.at];
    if (char === "{") this.object();
    else if (char === "[") this.array();
    else if (char === '"') this.string();
    else if (char === "t") this.literal("true");
    else if (char === "f") this.literal("false");
    else if (char === "n") this.literal("null");
    else if (char !== undefined && /[-0-9]/.test(char)) this.number();
    else this.fail("looking for beginning of value");
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail("after top-level value");
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

  private object(): void {
    this.at++;
    this.space();
    if (this.text[this.at] === "}") {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail("looking for beginning of object key string");
      this.string();
      this.space();
      if (this.text[this.at] !== ":") this.fail("after object key");
      this.at++;
      this.value();
      this.space();
      if (this.text[this.at] === "}") break;
      if (this.text[this.at] !== ",") this.fail("after object key:value pair");
      this.at++;
    }
    this.at++;
  }

  private array(): void {
    this.at++;
    this.space();
    if (this.text[this.at] === "]") {
      this.at++;
      return;
    }
    for (;;) {
      this.value();
      this.space();
      if (this.text[this.at] === "]") break;
      if (this.text[this.at] !== ",") this.fail("after array element");
      this.at++;
    }
    this.at++;
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
