import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { same } from "../../kinds/paths.ts";
import { safeEncode } from "../names.ts";

export const HASH_LABEL = "pod-template-hash";

type Template = ReplicaSet["spec"]["template"];

/** JSON with sorted keys, so that equal templates have one text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`)
    .join(",")}}`;
}

/** 32-bit FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) over UTF-8. */
function fnv32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The value of `pod-template-hash`; `collisions` makes another one when the name it leads to is taken. */
export function templateHash(template: Template, collisions = 0): string {
  return safeEncode(String(fnv32(canonical(template) + (collisions > 0 ? `#${collisions}` : ""))));
}

/** True when two templates differ in nothing but the hash label. */
export function sameTemplate(a: Template, b: Template): boolean {
  return same(withoutHash(a), withoutHash(b));
}

function withoutHash(template: Template): Template {
  if (template?.metadata?.labels?.[HASH_LABEL] === undefined) return template;
  const { [HASH_LABEL]: _, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}
