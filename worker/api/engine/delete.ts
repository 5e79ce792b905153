import type { Kind } from "../../kinds/kind.ts";
import { type Effects, timestamp } from "../../lib/effects.ts";
import type { KubeObject, ObjectMeta } from "../../lib/object.ts";
import { conflict, notFound } from "../../lib/status.ts";
import type { StoredObject, Txn } from "../../storage/store.ts";
import { deleting } from "../admission/chain.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { removeStored, replace } from "./commit.ts";
import { fromStored } from "./conversions.ts";
import type { Core, Loose } from "./core.ts";
import { metaOf } from "./metadata.ts";
import { type DeleteOptions, deleteOptions } from "./options.ts";
import { keyOf, subjectOf } from "./stored.ts";
import { type Traits, traitsOf } from "./traits.ts";

/**
 * Deletion in two phases: what has finalizers, or runs on a node, is first marked, and goes when they have let go.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function remove(core: Core, request: ApiRequest): ApiResult {
  const options = deleteOptions(request);
  return core.store.write((txn) => removeObject(core, txn, request, options));
}

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** `gone` tells whether it is out of storage (or would be, were it no dry run). */
type Outcome = { json: string; gone: boolean };

export function removeObject(core: Core, txn: Txn, request: ApiRequest, options: DeleteOptions): ApiResult {
  const { kind, namespace, name } = request;
  const stored = txn.get(keyOf(kind, namespace, name));
  if (!stored) throw notFound(subjectOf(kind, name));
  checkPreconditions(kind, stored, options);
  const { warnings } = core;
  const { deleteWarning } = traitsOf(kind);
  if (deleteWarning && options.propagationPolicy === undefined && options.orphanDependents === undefined)
    if (!warnings.includes(deleteWarning)) warnings.push(deleteWarning);
  admit(core, txn, request, options, stored, warnings);
  const outcome = removeStoredObject(txn, kind, stored, options, core.effects);
  const asObject = !outcome.gone || traitsOf(kind).returnsDeleted;
  if (asObject) return { type: "object", code: 200, kind, json: outcome.json, warnings };
  return { type: "status", code: 200, body: goneStatus(kind, stored), warnings };
}

function admit(
  core: Core,
  txn: Txn,
  request: ApiRequest,
  options: DeleteOptions,
  stored: StoredObject,
  warnings: string[],
): void {
  const { kind, user, namespace, name, subresource } = request;
  const object = fromStored(kind, core.view.parse(stored) as Loose);
  const dryRun = (options.dryRun?.length ?? 0) > 0;
  const operation = { core, txn, request, kind, user, namespace, name, subresource, dryRun, warnings };
  for (const admission of deleting) admission.admits({ ...operation, action: "DELETE", object, old: object });
}

const goneStatus = (kind: Kind, { name, uid }: StoredObject) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: { name, ...(kind.group && { group: kind.group }), kind: kind.resource, uid },
});

/** Throws a conflict when another object or version was meant. */
export function checkPreconditions(
  kind: Kind,
  { name, uid, revision }: StoredObject,
  { preconditions }: DeleteOptions,
): void {
  const subject = { group: kind.group, resource: kind.kind, name };
  if (preconditions?.uid !== undefined && preconditions.uid !== uid)
    throw conflict(
      subject,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== String(revision))
    throw conflict(
      subject,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${revision}). The object might have been modified`,
    );
}

/** Marks or removes one object. The caller has checked preconditions and admission. */
function removeStoredObject(
  txn: Txn,
  kind: Kind,
  stored: StoredObject,
  options: DeleteOptions,
  effects: Effects,
): Outcome {
  const traits = traitsOf(kind);
  const dryRun = (options.dryRun?.length ?? 0) > 0;
  const old = fromStored(kind, JSON.parse(stored.json) as KubeObject);
  const object: KubeObject = { ...old, metadata: { ...old.metadata } };
  const step = deletionStep(traits, object, options, effects.now());
  if (step === "wait") return { json: stored.json, gone: false };
  const waits = (object.metadata?.finalizers?.length ?? 0) > 0 || traits.ownFinalizers(object).length > 0;
  if (step === "now" && !waits) {
    return { json: dryRun ? stored.json : removeStored(txn, kind, stored), gone: true };
  }
  if (step === "now") mark(object, traits, effects.now());
  const json = replace(txn, kind, object, old, stored, dryRun);
  const isOver = step === "graceful" && !object.metadata?.deletionGracePeriodSeconds && !waits;
  if (!isOver) return { json, gone: false };
  const marked = dryRun ? undefined : txn.get(stored);
  return { json: marked ? removeStored(txn, kind, marked) : json, gone: true };
}

/** Sets finalizers and, for what runs on nodes, the deletion time. `wait`: an earlier delete goes on as it is. */
function deletionStep(
  traits: Traits,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): "now" | "graceful" | "wait" {
  const metadata = metaOf(object);
  const step = traits.gracePeriod ? gracefulStep(traits.gracePeriod, object, options, now) : "now";
  if (step !== "wait") metadata.finalizers = finalizersAfter(traits, metadata, options);
  return step;
}

function gracefulStep(
  gracePeriod: NonNullable<Traits["gracePeriod"]>,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): "now" | "graceful" | "wait" {
  const metadata = metaOf(object);
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (!deletionTimestamp) {
    const seconds = gracePeriod(object, options.gracePeriodSeconds);
    metadata.deletionTimestamp = timestamp(now + seconds * 1000);
    metadata.deletionGracePeriodSeconds = seconds;
    if (metadata.generation) metadata.generation++;
    return "graceful";
  }
  if (deletionGracePeriodSeconds === undefined) return "now";
  const asked = options.gracePeriodSeconds;
  if (asked === undefined || asked >= deletionGracePeriodSeconds) return "wait";
  const seconds = asked < 0 ? 1 : asked;
  const begun = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  metadata.deletionTimestamp = timestamp(begun + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  return "graceful";
}

/** The finalizers that the garbage collector answers for, as the options, the object or the kind's habit ask. */
function finalizersAfter(traits: Traits, metadata: ObjectMeta, options: DeleteOptions): string[] | undefined {
  const { finalizers, deletionTimestamp } = metadata;
  if (traits.propagation === "none") return finalizers;
  const others = (finalizers ?? []).filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const { cleanup } = traits;
  if (cleanup && !deletionTimestamp && !others.includes(cleanup)) others.push(cleanup);
  const wanted = finalizerWanted(traits, finalizers ?? [], options);
  return wanted ? [...others, wanted] : others;
}

function finalizerWanted(
  { propagation }: Traits,
  finalizers: readonly string[],
  { orphanDependents, propagationPolicy }: DeleteOptions,
): string | undefined {
  if (orphanDependents !== undefined) return orphanDependents ? ORPHAN : undefined;
  if (propagationPolicy !== undefined)
    return propagationPolicy === "Orphan" ? ORPHAN : propagationPolicy === "Foreground" ? FOREGROUND : undefined;
  if (finalizers.includes(ORPHAN)) return ORPHAN;
  if (finalizers.includes(FOREGROUND)) return FOREGROUND;
  return propagation === "Orphan" ? ORPHAN : undefined;
}

function mark(object: KubeObject, traits: Traits, now: number): void {
  const metadata = metaOf(object);
  if (metadata.deletionTimestamp) return;
  metadata.deletionTimestamp = timestamp(now);
  traits.markDeleting(object);
}
