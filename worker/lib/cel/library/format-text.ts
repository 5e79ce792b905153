/** `"%s".format([…])`. https://pkg.go.dev/github.com/google/cel-go/ext#Strings */
import { hex } from "../../bytes.ts";
import { CelError } from "../errors.ts";
import { formatDouble } from "../numbers.ts";
import { formatDuration, formatTimestamp } from "../times.ts";
import {
  type CelDuration,
  type CelMap,
  type CelTimestamp,
  type CelType,
  type CelUint,
  keysOf,
  kindOf,
  typeNameOf,
  valueAt,
} from "../values.ts";

export type Clause = { verb: string; precision: number | undefined };
type Part = string | Clause;

/** The text split at its clauses. `next` is asked for each before it is read. Throws CelError for what is none. */
export function parseFormat(text: string, next: (index: number) => void): Part[] {
  const parts: Part[] = [];
  let index = 0;
  for (let at = 0; at < text.length; ) {
    const percent = text.indexOf("%", at);
    if (percent < 0) {
      parts.push(text.slice(at));
      break;
    }
    parts.push(text.slice(at, percent));
    if (text[percent + 1] === "%") {
      parts.push("%");
      at = percent + 2;
      continue;
    }
    next(index++);
    if (percent + 1 >= text.length) throw new CelError("unexpected end of string");
    const { clause, length } = parseClause(text.slice(percent + 1));
    parts.push(clause);
    at = percent + 1 + length;
  }
  return parts;
}

function parseClause(text: string): { clause: Clause; length: number } {
  const wrong = (why: string) => new CelError(`could not parse formatting clause: ${why}`);
  const [found = "", digits] = /^\.(\d*)/.exec(text) ?? [];
  if (found && found.length === text.length)
    throw wrong("error while parsing precision: could not find end of precision specifier");
  const verb = text[found.length] ?? "";
  if (!"sdfebxXo".includes(verb)) throw wrong(`unrecognized formatting clause "${verb}"`);
  return { clause: { verb, precision: digits === undefined ? undefined : Number(digits) }, length: found.length + 1 };
}

/** What a clause takes, by kinds, and what is said of others. */
export const TAKES: Readonly<Record<string, { kinds: readonly string[]; complaint: string }>> = {
  s: {
    kinds: ["list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null"],
    complaint:
      "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  },
  d: { kinds: ["int", "uint"], complaint: "decimal clause can only be used on integers" },
  f: { kinds: ["double"], complaint: "fixed-point clause can only be used on doubles" },
  e: { kinds: ["double"], complaint: "scientific clause can only be used on doubles" },
  b: { kinds: ["int", "uint", "bool"], complaint: "only integers and bools can be formatted as binary" },
  x: {
    kinds: ["int", "uint", "string", "bytes"],
    complaint: "only integers, byte buffers, and strings can be formatted as hex",
  },
  o: { kinds: ["int", "uint"], complaint: "octal clause can only be used on integers" },
};

export function format(template: string, values: readonly unknown[]): string {
  const parts = parseFormat(template, (index) => {
    if (index >= values.length) throw new CelError(`index ${index} out of range`);
  });
  let index = 0;
  return parts.map((part) => (typeof part === "string" ? part : formatOne(part, values[index++]))).join("");
}

const SPECIAL: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity };

function formatOne({ verb, precision = 6 }: Clause, value: unknown): string {
  const { kinds, complaint } = TAKES[verb.toLowerCase()] as { kinds: readonly string[]; complaint: string };
  const special = "fe".includes(verb) && typeof value === "string" ? SPECIAL[value] : undefined;
  if (special === undefined && !kinds.includes(kindOf(value)))
    throw new CelError(`error during formatting: ${complaint}, was given ${typeNameOf(value)}`);
  const whole = () => (typeof value === "bigint" ? value : (value as CelUint).value);
  switch (verb) {
    case "s":
      return shown(value);
    case "d":
      return String(whole());
    case "f":
      return fixed(special ?? (value as number), precision);
    case "e":
      return scientific(special ?? (value as number), precision);
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : whole().toString(2);
    case "o":
      return whole().toString(8);
    default: {
      const digits = hexadecimal(value, whole);
      return verb === "X" ? digits.toUpperCase() : digits;
    }
  }
}

function hexadecimal(value: unknown, whole: () => bigint): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return bytes instanceof Uint8Array ? hex(bytes) : whole().toString(16);
}

const notFinite = (value: number): string => (Number.isNaN(value) ? "NaN" : value > 0 ? "\u221e" : "-\u221e");

/** As American English has it: thousands apart. */
function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return notFinite(value);
  const [whole = "", fraction] = value.toFixed(Math.min(precision, 100)).split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${fraction === undefined ? "" : `.${fraction}`}`;
}

const RAISED: Readonly<Record<string, string>> = { "-": "\u207b" };
const SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

function scientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return notFinite(value);
  const [digits = "", power = "0"] = value.toExponential(Math.min(precision, 100)).split("e");
  const exponent = `${power.startsWith("-") ? "-" : ""}${power.replace(/^[+-]/, "").padStart(2, "0")}`;
  return `${digits}\u00d710${exponent.replace(/./g, (char) => RAISED[char] ?? SUPERSCRIPTS[Number(char)] ?? "")}`;
}

/** As `%s` shows it. */
function shown(value: unknown): string {
  switch (kindOf(value)) {
    case "list":
      return `[${(value as unknown[]).map(within).join(", ")}]`;
    case "map":
      return `{${keysOf(value as CelMap)
        .map((key) => `${within(key)}:${within(valueAt(value as CelMap, key))}`)
        .sort()
        .join(", ")}}`;
    case "double":
      return formatDouble(value as number);
    case "uint":
      return String((value as CelUint).value);
    case "bytes":
      return new TextDecoder().decode(value as Uint8Array);
    case "timestamp":
      return formatTimestamp(value as CelTimestamp);
    case "duration":
      return formatDuration(value as CelDuration);
    case "type":
      return (value as CelType).type.name;
    default:
      return String(value);
  }
}

/** As it is shown within a list or a map. */
function within(value: unknown): string {
  const text = kindOf(value) === "double" ? (value as number).toFixed(6) : shown(value);
  switch (kindOf(value)) {
    case "string":
      return JSON.stringify(text);
    case "bytes":
      return `b${JSON.stringify(text)}`;
    case "timestamp":
    case "duration":
      return `${kindOf(value)}("${text}")`;
    default:
      return text;
  }
}
