/** cel-go's extended strings, version 2. https://pkg.go.dev/github.com/google/cel-go/ext#Strings */
import { ofFirst, ofFirstTwice, ofResultTwice } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { type Estimator, literalInt } from "../estimate.ts";
import { add, MAX, multiply, type Range, scale } from "../ranges.ts";
import { format } from "./format-text.ts";
import { indexCosts, itemOf } from "./list-costs.ts";

const outOfRange = (index: bigint | number) => new CelError(`index out of range: ${index}`);

function charAt(text: string, index: bigint): string {
  const chars = [...text];
  const at = Number(index);
  if (at < 0 || at > chars.length) throw outOfRange(index);
  return chars[at] ?? "";
}

function indexOf(text: string, part: string, offset: bigint): bigint {
  if (part === "") return offset;
  const [chars, wanted] = [[...text], [...part]];
  const from = Number(offset);
  if (from < 0) throw outOfRange(offset);
  for (let at = from; at <= chars.length - wanted.length; at++)
    if (wanted.every((char, index) => chars[at + index] === char)) return BigInt(at);
  return -1n;
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  const [chars, wanted] = [[...text], [...part]];
  if (part === "") return offset ?? BigInt(chars.length);
  if (offset === undefined && chars.length < wanted.length) return -1n;
  const from = offset === undefined ? chars.length - 1 : Number(offset);
  if (from < 0) throw outOfRange(from);
  if (from >= chars.length) return -1n;
  for (let at = Math.min(from, chars.length - wanted.length); at >= 0; at--)
    if (wanted.every((char, index) => chars[at + index] === char)) return BigInt(at);
  return -1n;
}

function substring(text: string, start: bigint, end?: bigint): string {
  const chars = [...text];
  if (end !== undefined && start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  for (const index of [start, ...(end === undefined ? [] : [end])])
    if (index < 0n || index > BigInt(chars.length)) throw outOfRange(index);
  return chars.slice(Number(start), end === undefined ? undefined : Number(end)).join("");
}

function replace(text: string, from: string, to: string, most: number): string {
  const parts = from === "" ? ["", ...text, ""] : text.split(from);
  const cut = most < 0 ? parts.length : Math.min(most + 1, parts.length);
  return [parts.slice(0, cut).join(to), ...parts.slice(cut)].join(from);
}

function split(text: string, separator: string, most: number): string[] {
  if (most === 0) return [];
  const parts = separator === "" ? [...text] : text.split(separator);
  if (most < 0 || parts.length <= most) return parts;
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

const lower = (text: string) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (text: string) => text.replace(/[a-z]+/g, (part) => part.toUpperCase());
const trim = (text: string) => text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, "");

function join(list: readonly unknown[], separator = ""): string {
  const wrong = list.find((item) => typeof item !== "string");
  if (wrong !== undefined) throw new CelError(`join: invalid input: ${String(wrong)}`);
  return list.join(separator);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
export const quote = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is escaped
  `"${text.toWellFormed().replace(/[\u0007\b\f\n\r\t\v\\"]/g, (char) => ESCAPES[char] as string)}"`;

const traversed: Costs = {
  cost: ofFirst,
  estimate([text], sizeOf) {
    if (!text) return undefined;
    const size = sizeOf(text);
    return { cost: scale(size, 0.1), size };
  },
};

/** How long a text can become whose parts are replaced. */
const replaced: Estimator = ([text, from, to], sizeOf) => {
  if (!text || !from || !to) return undefined;
  const [size, old, fresh] = [sizeOf(text), sizeOf(from), sizeOf(to)];
  const most =
    old.min === 0
      ? { count: Math.min(size.max + 1, MAX), kept: size.max }
      : fresh.max <= old.min
        ? { count: 0, kept: size.max }
        : { count: Math.ceil(size.max / old.min), kept: 0 };
  const least =
    old.max === 0
      ? { count: Math.min(size.min + 1, MAX), kept: size.min }
      : old.max <= fresh.min
        ? { count: 0, kept: size.min }
        : { count: Math.ceil(size.min / old.max), kept: 0 };
  const count: Range = { min: least.count, max: most.count };
  return {
    cost: scale(size, 0.2),
    size: add(multiply(count, fresh), { min: least.kept, max: most.kept }),
  };
};
const replacing: Costs = { cost: ofFirstTwice, estimate: replaced };

const splitting: Costs = {
  cost: ofFirstTwice,
  estimate([text, , most], sizeOf) {
    if (!text) return undefined;
    const size = sizeOf(text);
    const limit = most && literalInt(most);
    return { cost: scale(size, 0.2), size: { min: 0, max: limit ?? size.max } };
  },
};

const joining: Costs = {
  cost: ofResultTwice,
  estimate([list, separator], sizeOf) {
    if (!list) return undefined;
    const count = sizeOf(list);
    const item = itemOf(list);
    let size: Range = item ? multiply(count, sizeOf(item)) : { min: 0, max: 0 };
    if (separator) {
      const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
      size = add(size, multiply(sizeOf(separator), between));
    }
    return { cost: scale(size, 0.1), size };
  },
};

export const strings = new Library()
  .add("string::charAt(int): string", "string_char_at_int", charAt)
  .add(
    "string::indexOf(string): int",
    "string_index_of_string",
    (text: string, part: string) => indexOf(text, part, 0n),
    indexCosts,
  )
  .add("string::indexOf(string, int): int", "string_index_of_string_int", indexOf, indexCosts)
  .add("string::lastIndexOf(string): int", "string_last_index_of_string", lastIndexOf, indexCosts)
  .add("string::lastIndexOf(string, int): int", "string_last_index_of_string_int", lastIndexOf, indexCosts)
  .add("string::lowerAscii(): string", "string_lower_ascii", lower, traversed)
  .add(
    "string::replace(string, string): string",
    "string_replace_string_string",
    (text: string, from: string, to: string) => replace(text, from, to, -1),
    replacing,
  )
  .add(
    "string::replace(string, string, int): string",
    "string_replace_string_string_int",
    (text: string, from: string, to: string, most: bigint) => replace(text, from, to, Number(most)),
    replacing,
  )
  .add(
    "string::split(string): list(string)",
    "string_split_string",
    (text: string, separator: string) => split(text, separator, -1),
    splitting,
  )
  .add(
    "string::split(string, int): list(string)",
    "string_split_string_int",
    (text: string, separator: string, most: bigint) => split(text, separator, Number(most)),
    splitting,
  )
  .add("string::substring(int): string", "string_substring_int", substring, traversed)
  .add("string::substring(int, int): string", "string_substring_int_int", substring, traversed)
  .add("string::trim(): string", "string_trim", trim, traversed)
  .add("string::upperAscii(): string", "string_upper_ascii", upper, traversed)
  .add("string::format(list(dyn)): string", "string_format", format)
  .add("strings.quote(string): string", "strings_quote", quote)
  .add("list(string)::join(): string", "list_join", join, joining)
  .add("list(string)::join(string): string", "list_join_string", join, joining);
