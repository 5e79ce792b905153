import type { Environment } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import { CelError } from "./program.ts";

/** Compiled patterns kept; they come from rules, which are few. */
const MAX_PATTERNS = 1000;
const patterns = new Map<string, RE2JS>();

function pattern(text: string): RE2JS {
  const known = patterns.get(text);
  if (known) return known;
  try {
    const compiled = RE2JS.compile(text);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(text, compiled);
    return compiled;
  } catch {
    throw new CelError(`error parsing regexp: ${JSON.stringify(text)}`);
  }
}

function findAll(text: string, expression: string, most: number): string[] {
  const found: string[] = [];
  const matcher = pattern(expression).matcher(text);
  while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? "");
  return found;
}

function replace(text: string, from: string, to: string, most: number): string {
  if (most < 0) return text.replaceAll(from, () => to);
  const parts = text.split(from);
  const cut = Math.min(most + 1, parts.length);
  return [
    ...parts.slice(0, cut).join(to),
    parts
      .slice(cut)
      .map((part) => from + part)
      .join(""),
  ].join("");
}

/** `%s`, `%d`, `%f`, `%e`, `%b`, `%x`, `%X`, `%o` with `%.2f`; `%%` is a percent sign. */
function format(template: string, values: readonly unknown[]): string {
  let at = 0;
  return template.replace(/%(?:\.(\d+))?([sdfebxXo%])/g, (_, precision: string | undefined, verb: string) => {
    if (verb === "%") return "%";
    if (at >= values.length) throw new CelError(`index ${at} out of range`);
    const value = values[at++];
    const number = Number(value);
    switch (verb) {
      case "f":
        return number.toFixed(Number(precision ?? 6));
      case "e":
        return number.toExponential(Number(precision ?? 6)).replace(/e([+-])(\d)$/, "e$10$2");
      case "b":
        return typeof value === "boolean" ? (value ? "1" : "0") : BigInt(number).toString(2);
      case "o":
        return BigInt(number).toString(8);
      case "x":
      case "X": {
        const hex =
          typeof value === "string"
            ? Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, "0")).join("")
            : BigInt(number).toString(16);
        return verb === "x" ? hex : hex.toUpperCase();
      }
      default:
        return shown(value);
    }
  });
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (value instanceof Date) return value.toISOString();
  if (value === null) return "null";
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}: ${shown(item)}`)
      .sort()
      .join(", ")}}`;
  return String(value);
}

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library and cel-go's strings extension */
export function registerStrings(environment: Environment): void {
  environment
    .registerFunction("string.matchesRE2(string): bool", (text: string, expression: string) =>
      pattern(expression).matcher(text).find(),
    )
    .registerFunction("matchesRE2(string, string): bool", (text: string, expression: string) =>
      pattern(expression).matcher(text).find(),
    )
    .registerFunction(
      "string.find(string): string",
      (text: string, expression: string) => findAll(text, expression, 1)[0] ?? "",
    )
    .registerFunction("string.findAll(string): list<string>", (text: string, expression: string) =>
      findAll(text, expression, -1),
    )
    .registerFunction("string.findAll(string, int): list<string>", (text: string, expression: string, most: bigint) =>
      findAll(text, expression, Number(most)),
    )
    .registerFunction("string.charAt(int): string", (text: string, index: bigint) => text.charAt(Number(index)))
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) =>
      replace(text, from, to, -1),
    )
    .registerFunction(
      "string.replace(string, string, int): string",
      (text: string, from: string, to: string, most: bigint) => replace(text, from, to, Number(most)),
    )
    .registerFunction("string.reverse(): string", (text: string) => [...text].reverse().join(""))
    .registerFunction("string.format(list<dyn>): string", format);
}
