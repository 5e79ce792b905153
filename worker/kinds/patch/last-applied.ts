import type { KubeObject } from "../../lib/object.ts";
import type { Schema } from "../schema.ts";
import { compare } from "./fields/compare.ts";
import { canonical } from "./fields/element.ts";
import { fieldsOf } from "./fields/extract.ts";
import type { FieldSet } from "./fields/field-set.ts";
import { isObject } from "./json.ts";

/** The field manager of `kubectl apply --server-side`. */
export const KUBECTL = "kubectl";

/** Where client-side apply keeps what it sent last. */
const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
/** Annotations of an object at most, as validation limits them. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

const lastApplied = (object: KubeObject): string | undefined => object.metadata?.annotations?.[ANNOTATION];

export const hasLastApplied = (object: KubeObject): boolean => Boolean(lastApplied(object));

/** The fields that client-side apply set and that are still so; undefined when it did not write this object. */
export function fieldsLastApplied(root: Schema, live: KubeObject, apiVersion: string): FieldSet | undefined {
  const text = lastApplied(live);
  if (!text) return undefined;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(applied) || applied.apiVersion !== apiVersion) return undefined;
  const { added, modified, removed } = compare(root, applied, live);
  return fieldsOf(root, applied).difference(modified).difference(added).difference(removed);
}

/** Keeps the annotation in step with what was applied, so that client-side apply can go on from it. */
export function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const { annotations, ...metadata } = applied.metadata ?? {};
  const { [ANNOTATION]: _, ...others } = annotations ?? {};
  const given = annotations ? { ...metadata, annotations: others } : metadata;
  const text = `${canonical({ ...applied, metadata: given })}\n`;
  const kept = { ...object.metadata?.annotations, [ANNOTATION]: text };
  const bytes = Object.entries(kept).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (bytes > MAX_ANNOTATIONS_BYTES) kept[ANNOTATION] = "";
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}
