import { goJson } from "../../lib/go-json.ts";
import { same } from "../paths.ts";
import { isObject } from "./json.ts";

/**
 * A patched document as kube-apiserver shows it in messages: what the patch reached into has its keys sorted, the rest
 * is as it was.
 */
export function patchedText(before: unknown, after: unknown): string {
  if (after === null || typeof after !== "object" || (before !== undefined && same(before, after))) return text(after);
  if (Array.isArray(after)) {
    const old = Array.isArray(before) ? before : [];
    return `[${after.map((item, index) => patchedText(old[index] ?? item, item)).join(",")}]`;
  }
  if (!isObject(before) || !isObject(after)) return text(after);
  const members = Object.keys(after)
    .sort()
    .map((key) => `${text(key)}:${patchedText(before[key] ?? after[key], after[key])}`);
  return `{${members.join(",")}}`;
}

const text = (value: unknown): string => goJson(value ?? null);
