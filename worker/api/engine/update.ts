import type { Kind } from "../../kinds/kind.ts";
import { ApiError, conflict, invalid, invalidValue, modified, notFound } from "../../lib/status.ts";
import type { StoredObject, Txn } from "../../storage/store.ts";
import { mutating, validating } from "../admission/chain.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { readBody } from "./body.ts";
import { removeStored, replace } from "./commit.ts";
import { fromStored } from "./conversions.ts";
import type { Core, Loose } from "./core.ts";
import { createObject } from "./create.ts";
import { type Track, trackFields } from "./fields.ts";
import { hooksOf } from "./hooks.ts";
import { keepMetadata } from "./kept-metadata.ts";
import { AFTER_ADMISSION, checkNamed, dedupOwners, keepSystemFields, metaOf } from "./metadata.ts";
import type { Operation } from "./operation.ts";
import { type WriteOptions, writeOptions } from "./options.ts";
import { keyOf, serialize, subjectOf } from "./stored.ts";
import { storagePrefix, traitsOf } from "./traits.ts";
import { validate } from "./validate.ts";

export function update(core: Core, request: ApiRequest): ApiResult {
  const { kind, namespace, name } = request;
  const options = writeOptions(request);
  const { warnings } = core;
  const object = readBody(core.kinds, kind, request, options.fieldValidation, warnings);
  checkNamed(kind, object, namespace, name);
  dedupOwners(object, warnings);
  return core.store.write((txn): ApiResult => {
    const stored = txn.get(keyOf(kind, namespace, name));
    if (stored) {
      checkUid(stored.uid, object, request);
      const json = updateObject(core, txn, request, options, object, stored, warnings);
      return { type: "object", code: 200, kind, json, warnings };
    }
    if (!isCreatedBy(request)) throw notFound(subjectOf(kind, name));
    checkUid("", object, request);
    // Of what is not there any version will do.
    delete object.metadata?.resourceVersion;
    const json = createObject(core, txn, request, options, object, warnings);
    return { type: "object", code: 201, kind, json, warnings };
  });
}

/** Whether a write creates what is not there. */
export const isCreatedBy = ({ kind, subresource }: ApiRequest): boolean =>
  (subresource === "" || subresource === "status") && traitsOf(kind).createOnUpdate;

/** A uid in the body of a PUT is a precondition; storage answers for it, in its own words. */
function checkUid(uid: string, object: Loose, { kind, namespace, name }: ApiRequest): void {
  const given = object.metadata?.uid;
  if (!given || given === uid) return;
  const key = ["/registry", storagePrefix(kind), ...(kind.namespaced ? [namespace] : []), name].join("/");
  throw conflict(
    subjectOf(kind, name),
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${given}, UID in object meta: ${uid}`,
  );
}

/** The pipeline of every change of an existing object. Returns the text as answered. */
export function updateObject(
  core: Core,
  txn: Txn,
  request: ApiRequest,
  options: WriteOptions,
  object: Loose,
  stored: StoredObject,
  warnings: string[],
  track: Track = trackFields,
): string {
  const { kind, user, namespace, name, subresource } = request;
  const old = fromStored(kind, JSON.parse(stored.json) as Loose);
  const operation: Operation = {
    core,
    txn,
    request,
    kind,
    user,
    action: "UPDATE",
    namespace: kind.namespaced ? namespace : "",
    name,
    subresource,
    dryRun: options.dryRun,
    warnings,
    object,
    old,
  };
  checkVersion(operation, stored);
  track(operation, options.fieldManager);
  for (const admission of mutating) admission.admits(operation);
  dedupOwners(object, warnings, AFTER_ADMISSION);
  prepare(operation);
  hooksOf(operation).prepare?.(operation);
  if (subresource !== "status" && kind.changesGeneration(object, old) && object.metadata)
    object.metadata.generation = (old.metadata?.generation ?? 0) + 1;
  validate(operation);
  hooksOf(operation).allocate?.(operation);
  for (const admission of validating) admission.admits(operation);
  if (isFinalized(kind, object, old)) {
    if (!options.dryRun) removeStored(txn, kind, stored);
    return serialize(kind, object, stored.revision);
  }
  return replace(txn, kind, object, old, stored, options.dryRun);
}

/** A kind may take all of metadata from what is there; who owns which field must stay as tracked. */
function prepare({ kind, object, old, subresource }: Operation): void {
  if (!old) return;
  const managedFields = object.metadata?.managedFields;
  keepSystemFields(object, old);
  kind.prepareForUpdate(object, old, subresource);
  if (subresource === "status") keepMetadata(kind, metaOf(object), old);
  if (object.metadata) object.metadata.managedFields = managedFields;
}

/** Throws 409 when the body was made from an older version than the stored one. */
function checkVersion({ kind, name, object }: Operation, stored: StoredObject): void {
  const given = object.metadata?.resourceVersion ?? "";
  if (given === "" || given === "0") {
    if (traitsOf(kind).unconditionalUpdate) return;
    const problem = invalidValue("metadata.resourceVersion", 0, "must be specified for an update");
    throw invalid({ group: kind.group, kind: kind.resource, name }, [problem]);
  }
  // kube-apiserver calls it its own fault.
  if (!/^\d+$/.test(given))
    throw new ApiError(500, "", `strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`);
  if (given !== String(stored.revision)) throw modified(subjectOf(kind, name));
}

/** An object that waited for its last finalizer goes with the update that removes it. */
function isFinalized(kind: Kind, object: Loose, old: Loose): boolean {
  if (!old.metadata?.deletionTimestamp || old.metadata.deletionGracePeriodSeconds) return false;
  return !object.metadata?.finalizers?.length && traitsOf(kind).ownFinalizers(object).length === 0;
}
