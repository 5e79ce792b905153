import type { Kind } from "../../kinds/kind.ts";
import { type Effects, timestamp } from "../../lib/effects.ts";
import type { KubeObject, ObjectMeta } from "../../lib/object.ts";
import { ApiError, badRequest } from "../../lib/status.ts";

/**
 * Who owns which part of metadata.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#metadata
 */
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
const MAX_GENERATED_BASE = 63 - SUFFIX_LENGTH;

/** A base, cut so that a label has room for it, and five letters that spell nothing. */
export function generatedName(base: string, effects: Effects): string {
  let suffix = "";
  for (let i = 0; i < SUFFIX_LENGTH; i++)
    suffix += SUFFIX_ALPHABET.charAt(Math.floor(effects.random() * SUFFIX_ALPHABET.length));
  return base.slice(0, MAX_GENERATED_BASE) + suffix;
}

export function metaOf(object: KubeObject): ObjectMeta {
  object.metadata ??= {};
  return object.metadata;
}

/** A new object's namespace is the URL's. Throws 400 when the object names another one. */
export function settleNamespace(kind: Kind, object: KubeObject, namespace: string): void {
  const metadata = metaOf(object);
  if (!kind.namespaced) delete metadata.namespace;
  else if (!metadata.namespace) metadata.namespace = namespace;
  else if (metadata.namespace !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** Throws 400 unless the object is the one that the URL names. */
export function checkNamed(object: KubeObject, namespace: string, name: string): void {
  const metadata = metaOf(object);
  if (!metadata.name)
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  if (namespace && metadata.namespace && metadata.namespace !== namespace)
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`,
    );
}

/** What only the server sets is not the client's to bring, nor to own. */
export function wipeSystemFields(object: KubeObject): void {
  const metadata = metaOf(object);
  if (metadata.resourceVersion)
    throw new ApiError(500, "", "resourceVersion should not be set on objects to be created");
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete (metadata as { selfLink?: string }).selfLink;
}

/** What the server sets on a new object. */
export function fillSystemFields(kind: Kind, object: KubeObject, effects: Effects): void {
  const metadata = metaOf(object);
  metadata.uid = effects.uid();
  metadata.creationTimestamp = timestamp(effects.now());
  if (kind.hasGeneration) metadata.generation = 1;
  if (!metadata.name && metadata.generateName) metadata.name = generatedName(metadata.generateName, effects);
}

/** What an update may not change is taken from `old` before it is validated. */
export function keepSystemFields(object: KubeObject, old: KubeObject): void {
  const metadata = metaOf(object);
  const before = old.metadata ?? {};
  delete (metadata as { selfLink?: string }).selfLink;
  metadata.uid ||= before.uid;
  metadata.namespace ||= before.namespace;
  metadata.creationTimestamp = before.creationTimestamp;
  metadata.generation = before.generation;
  if (before.deletionTimestamp) metadata.deletionTimestamp = before.deletionTimestamp;
  metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
}
