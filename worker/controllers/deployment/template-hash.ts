import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { same } from "../../kinds/paths.ts";
import { hashOf } from "../hash.ts";

export const HASH_LABEL = "pod-template-hash";

type Template = ReplicaSet["spec"]["template"];

/** The value of `pod-template-hash`; `collisions` makes another one when the name it leads to is taken. */
export function templateHash(template: Template, collisions = 0): string {
  return hashOf(template, collisions);
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
