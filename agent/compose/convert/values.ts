/** Values with a notation of Compose's own. */
import { createHash } from "node:crypto";
import type { Value } from "../tree.ts";

const SECONDS = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const BYTES = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/** `1h30m`, `90s`: in seconds, not whole. */
export function seconds(value: Value | undefined): number | undefined {
  const text = value?.text()?.trim();
  if (value === undefined || text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h|d|w))+$/.test(text)) return value.invalid(`${text} is no duration like 1m30s`);
  return [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * SECONDS[unit as keyof typeof SECONDS],
    0,
  );
}

/** For fields of whole seconds, of which the least is 1. */
export const wholeSeconds = (value: Value | undefined): number | undefined => {
  const found = seconds(value);
  return found === undefined ? undefined : Math.max(1, Math.ceil(found));
};

/** `512m`, `1gb`, `64`: bytes, by powers of two. */
export function bytes(value: Value | undefined): number | undefined {
  const text = value?.text()?.trim().toLowerCase();
  if (value === undefined || text === undefined) return undefined;
  const [, number, unit = "b"] = /^(\d+(?:\.\d+)?)\s*([bkmgt])?(?:i?b)?$/.exec(text) ?? [];
  if (number === undefined) return value.invalid(`${text} is no size like 512m`);
  return Math.floor(Number(number) * BYTES[unit as keyof typeof BYTES]);
}

/** The quantity that says the same with the largest unit: `512Mi`. */
export function quantityOfBytes(count: number): string {
  for (const [unit, size] of [
    ["Gi", BYTES.g],
    ["Mi", BYTES.m],
    ["Ki", BYTES.k],
  ] as const)
    if (count > 0 && count % size === 0) return `${count / size}${unit}`;
  return String(count);
}

/** A fraction of processors: `0.5` is `500m`. */
export function processors(value: Value | undefined): string | undefined {
  const count = value?.number();
  if (count === undefined || count === 0) return undefined;
  return Number.isInteger(count) ? String(count) : `${Math.max(1, Math.round(count * 1000))}m`;
}

/** A command of a string is split as a shell splits words; nothing is expanded in it. */
export function words(value: Value): string[] {
  if (value.isList) return value.texts();
  const text = value.text() ?? "";
  const found: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? "";
    if (quote === "" && /\s/.test(letter)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else if (letter === quote) quote = "";
    else if (quote === "" && (letter === "'" || letter === '"')) {
      quote = letter;
      word ??= "";
    } else if (letter === "\\" && quote !== "'") word = (word ?? "") + (text[++at] ?? "");
    else word = (word ?? "") + letter;
  }
  if (quote !== "") value.invalid(`the quote ${quote} is not closed`);
  return word === undefined ? found : [...found, word];
}

/** Kubernetes puts variables in the place of `$(NAME)` in commands and values; Compose does not. */
export const literal = (text: string): string => text.replace(/\$(?=[$(])/g, "$$$$");

/** A name for an object, of what may have dots, underscores and capitals. */
export const objectName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");

/** Of anything that JSON can say: ten hexadecimal digits. */
export const digest = (what: unknown): string =>
  createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 10);

/** Without what is undefined, and then without what is empty. */
export function tidy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(tidy) as T;
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value)
    .map(([name, inner]): [string, unknown] => [name, tidy(inner)])
    .filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(kept) as T;
}

/** Undefined for what has nothing in it, so that it is not said. */
export function unlessEmpty<T extends object>(value: T): T | undefined {
  return Object.values(value).some((inner) => inner !== undefined) ? value : undefined;
}

/** Whether an annotation may be called so. */
export const isAnnotation = (name: string): boolean =>
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/.test(name);
