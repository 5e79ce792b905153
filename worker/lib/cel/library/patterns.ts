/** Regular expressions in linear time. https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library */
import { RE2JS } from "re2js";
import { errorText } from "../../error-text.ts";
import { ofPattern } from "../costs.ts";
import { Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import type { Estimator } from "../estimate.ts";
import { add, fixed, multiply, scale } from "../ranges.ts";

/** Compiled patterns kept; they come from rules, which are few. */
const MAX_PATTERNS = 1000;
const patterns = new Map<string, RE2JS>();

/** Throws CelError for what is no pattern. */
export function pattern(text: string): RE2JS {
  const known = patterns.get(text);
  if (known) return known;
  try {
    const compiled = RE2JS.compile(text);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(text, compiled);
    return compiled;
  } catch (error) {
    throw new CelError(errorText(error));
  }
}

export const containsPattern = (text: string, expression: string): boolean => pattern(expression).matcher(text).find();

function findAll(text: string, expression: string, most: number): string[] {
  const found: string[] = [];
  const matcher = searching(expression).matcher(text);
  while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? "");
  return found;
}

function searching(expression: string): RE2JS {
  try {
    return pattern(expression);
  } catch (error) {
    throw error instanceof CelError ? new CelError(`Illegal regex: ${error.message}`) : error;
  }
}

const estimate: Estimator = ([text, expression], sizeOf) => {
  if (!text || !expression) return undefined;
  const size = sizeOf(text);
  const cost = multiply(scale(add(size, fixed(1)), 0.1), scale(sizeOf(expression), 0.25));
  return { cost, size: { min: 0, max: size.max } };
};
const costs = { estimate, cost: ofPattern };

export const regex = new Library()
  .add(
    "string::find(string): string",
    "string_find_string",
    (text: string, expression: string) => findAll(text, expression, 1)[0] ?? "",
    costs,
  )
  .add(
    "string::findAll(string): list(string)",
    "string_find_all_string",
    (text: string, expression: string) => findAll(text, expression, -1),
    costs,
  )
  .add(
    "string::findAll(string, int): list(string)",
    "string_find_all_string_int",
    (text: string, expression: string, most: bigint) => findAll(text, expression, Number(most)),
    costs,
  );
