import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
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

/** Throws 400 unless the object is the one that the URL names; its namespace may be left out. */
export function checkNamed(kind: Kind, object: KubeObject, namespace: string, name: string): void {
  const metadata = metaOf(object);
  settleNamespace(kind, object, namespace);
  if (!metadata.name)
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}

/** When something was found that a client may not have sent. */
export const AFTER_ADMISSION = " after mutating admission happens";

/** Takes out owners that are there twice, and says so. */
export function dedupOwners(object: KubeObject, warnings: string[], when = ""): void {
  const owners = object.metadata?.ownerReferences;
  if (!owners || owners.length < 2) return;
  const kept = owners.filter((owner, index) => !owners.slice(0, index).some((other) => same(owner, other)));
  if (kept.length === owners.length) return;
  const twice = owners.filter((owner) => !kept.includes(owner)).map(({ uid }) => uid);
  warnings.push(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${twice.join(", ")}`,
  );
  metaOf(object).ownerReferences = kept;
}

/** What only the server sets is not the client's to bring, nor to own. */
export function wipeSystemFields(object: KubeObject): void {
  const metadata = metaOf(object);
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete (metadata as { selfLink?: string }).selfLink;
}

/** Storage's own refusal, when all others had nothing to say. */
export function checkUnstored({ metadata }: KubeObject): void {
  if (metadata?.resourceVersion)
    throw new ApiError(500, "", "resourceVersion should not be set on objects to be created");
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
