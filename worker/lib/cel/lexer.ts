import type { Issue } from "./syntax.ts";

/** `text` is as written; `at` counts code points. */
export type Token = { kind: TokenKind; text: string; at: number };

export type TokenKind = "ident" | "int" | "uint" | "float" | "string" | "bytes" | "symbol" | "end";

const PATTERNS: readonly [TokenKind | "space", RegExp][] = [
  ["space", /(?:[\t\n\f\r ]+|\/\/[^\n]*)/y],
  ["float", /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y],
  ["uint", /(?:0x[0-9a-fA-F]+|\d+)[uU]/y],
  ["int", /(?:0x[0-9a-fA-F]+|\d+)/y],
  ["bytes", /[bB](?:[rR](?:""".*?"""|'''.*?'''|"[^"\n\r]*"|'[^'\n\r]*'))/sy],
  ["string", /[rR](?:""".*?"""|'''.*?'''|"[^"\n\r]*"|'[^'\n\r]*')/sy],
  ["ident", /[A-Za-z_][A-Za-z0-9_]*/y],
  ["symbol", /(?:==|!=|<=|>=|&&|\|\||[[\]{}().,:?!<>+\-*/%])/y],
];

const ESCAPE =
  String.raw`\\(?:[abfnrtv\\?"'` +
  "`" +
  "]|x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})";
const quoted = (prefix: string) =>
  new RegExp(
    `${prefix}(?:"""(?:${ESCAPE}|[^\\\\])*?"""|'''(?:${ESCAPE}|[^\\\\])*?'''|"(?:${ESCAPE}|[^\\\\"\\n\\r])*"|'(?:${ESCAPE}|[^\\\\'\\n\\r])*')`,
    "y",
  );
const STRING = quoted("");
const BYTES = quoted("[bB]");
/** As far as a string goes that never ends or has an unknown escape. */
const BROKEN = new RegExp(`[bBrR]?(?:"(?:${ESCAPE}|[^\\\\"\\n\\r])*|'(?:${ESCAPE}|[^\\\\'\\n\\r])*)(?:\\\\.?)?`, "y");

/** Splits an expression into tokens, the last of them the end. What is none goes into `issues` and is left out. */
export function tokenize(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = [];
  const place = codePointCounter(source);
  let offset = 0;
  while (offset < source.length) {
    const found = match(source, offset);
    const at = place(offset);
    if (found) {
      if (found.kind !== "space") tokens.push({ kind: found.kind, text: found.text, at });
      offset += found.text.length;
      continue;
    }
    const wrong = unrecognized(source, offset);
    issues.push({ at, message: `Syntax error: token recognition error at: '${shown(wrong)}'` });
    offset += wrong.length;
  }
  tokens.push({ kind: "end", text: "<EOF>", at: place(source.length) });
  return tokens;
}

const shown = (text: string) => text.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");

function match(source: string, offset: number): { kind: TokenKind | "space"; text: string } | undefined {
  const one = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.exec(source)?.[0];
  };
  const string = one(STRING);
  if (string !== undefined) return { kind: "string", text: string };
  const bytes = one(BYTES);
  if (bytes !== undefined) return { kind: "bytes", text: bytes };
  for (const [kind, pattern] of PATTERNS) {
    const text = one(pattern);
    if (text) return { kind, text };
  }
  return undefined;
}

function unrecognized(source: string, offset: number): string {
  BROKEN.lastIndex = offset;
  const broken = BROKEN.exec(source)?.[0];
  if (broken) return broken;
  const [char = ""] = source.slice(offset, offset + 2);
  // These begin an operator of two characters, whose second is not there.
  return "=&|".includes(char) ? source.slice(offset, offset + 2) : char;
}

/** Offsets come in ascending order. */
function codePointCounter(source: string): (offset: number) => number {
  let [from, count] = [0, 0];
  return (offset) => {
    for (; from < offset; count++) from += (source.codePointAt(from) ?? 0) > 0xffff ? 2 : 1;
    return count;
  };
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** The characters of a string token; undefined for a code point that there is none of. */
export function unquote(token: string): string | undefined {
  const isRaw = /^[rR]/.test(token);
  const body = token.replace(/^[rR]/, "");
  const quote = /^("""|'''|"|')/.exec(body)?.[0].length ?? 1;
  const inner = body.slice(quote, -quote).replaceAll("\r\n", "\n");
  if (isRaw) return inner;
  let isBad = false;
  const text = inner.replace(
    /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))/g,
    (_, hex?: string, short?: string, long?: string, octal?: string, plain = "") => {
      const digits = hex ?? short ?? long;
      const code = digits ? Number.parseInt(digits, 16) : octal ? Number.parseInt(octal, 8) : undefined;
      if (code === undefined) return SIMPLE[plain] ?? plain;
      isBad ||= code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
      return isBad ? "" : String.fromCodePoint(code);
    },
  );
  return isBad ? undefined : text;
}

/** The octets of a bytes token, whose escapes are octets. */
export function unquoteBytes(token: string): Uint8Array {
  const text = token.slice(1);
  const isRaw = /^[rR]/.test(text);
  const body = text.replace(/^[rR]/, "");
  const quote = /^("""|'''|"|')/.exec(body)?.[0].length ?? 1;
  const inner = body.slice(quote, -quote);
  const encoder = new TextEncoder();
  if (isRaw) return encoder.encode(inner);
  const parts: number[] = [];
  for (const [piece, hex, octal, plain] of inner.matchAll(/\\(?:[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))|[^\\]+/g)) {
    if (hex) parts.push(Number.parseInt(hex, 16));
    else if (octal) parts.push(Number.parseInt(octal, 8));
    else parts.push(...encoder.encode(plain === undefined ? piece : (SIMPLE[plain] ?? plain)));
  }
  return Uint8Array.from(parts);
}
