import type { KubeObject } from "../../lib/object.ts";
import { ApiError, alreadyExists } from "../../lib/status.ts";
import type { StoredObject, Txn } from "../../storage/store.ts";
import { mutating, validating } from "../admission/chain.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { readBody } from "./body.ts";
import { insert } from "./commit.ts";
import type { Core, Loose } from "./core.ts";
import { type Track, trackFields } from "./fields.ts";
import { hooksOf } from "./hooks.ts";
import {
  AFTER_ADMISSION,
  checkUnstored,
  dedupOwners,
  fillSystemFields,
  generatedName,
  settleNamespace,
  wipeSystemFields,
} from "./metadata.ts";
import type { Operation } from "./operation.ts";
import { type WriteOptions, writeOptions } from "./options.ts";
import { keyOf, subjectOf } from "./stored.ts";
import { validate } from "./validate.ts";

/** Names tried for a generateName whose first guess is taken. */
const MAX_NAME_ATTEMPTS = 8;

export function create(core: Core, request: ApiRequest): ApiResult {
  const options = writeOptions(request);
  const { warnings } = core;
  const object = readBody(core.kinds, request.kind, request, options.fieldValidation, warnings);
  const json = core.store.write((txn) => createObject(core, txn, request, options, object, warnings));
  return { type: "object", code: 201, kind: request.kind, json, warnings };
}

/** The pipeline of every new object, wherever it comes from: POST, PUT, apply, controllers. Returns its text. */
export function createObject(
  core: Core,
  txn: Txn,
  request: ApiRequest,
  options: WriteOptions,
  object: Loose,
  warnings: string[],
  track: Track = trackFields,
): string {
  const { kind, user, namespace, subresource } = request;
  settleNamespace(kind, object, namespace);
  if (request.audit && object.metadata) request.audit.made = object.metadata;
  const operation: Operation = {
    core,
    txn,
    request,
    kind,
    user,
    action: "CREATE",
    namespace: kind.namespaced ? namespace : "",
    name: object.metadata?.name ?? "",
    subresource,
    dryRun: options.dryRun,
    warnings,
    object,
    old: undefined,
  };
  wipeSystemFields(object);
  dedupOwners(object, warnings);
  track(operation, options.fieldManager);
  for (const admission of mutating) admission.admits(operation);
  dedupOwners(object, warnings, AFTER_ADMISSION);
  const generates = !object.metadata?.name;
  fillSystemFields(kind, object, core.effects);
  kind.prepareForCreate(object);
  hooksOf(operation).prepare?.(operation);
  validate(operation);
  hooksOf(operation).allocate?.(operation);
  for (const admission of validating) admission.admits(operation);
  if (!options.dryRun) checkUnstored(object);
  settleName(operation, generates);
  return insert(txn, kind, object, options.dryRun);
}

/** Throws 409 when the name is taken; a generated one is guessed again first. */
function settleName({ core, txn, kind, namespace, object }: Operation, generates: boolean): void {
  const metadata = object.metadata as NonNullable<KubeObject["metadata"]>;
  for (let attempt = 1; ; attempt++) {
    const taken = txn.get(keyOf(kind, namespace, metadata.name ?? ""));
    if (!taken) return;
    if (!generates || attempt === MAX_NAME_ATTEMPTS)
      throw takenBy(taken, alreadyExists(subjectOf(kind, metadata.name)));
    metadata.name = generatedName(metadata.generateName ?? "", core.effects);
  }
}

/** Who waits for a name wants to know that it is about to be free. */
function takenBy({ json }: StoredObject, { code, reason, message, details }: ApiError): ApiError {
  const { metadata } = JSON.parse(json) as KubeObject;
  return new ApiError(
    code,
    reason,
    metadata?.deletionTimestamp ? `object is being deleted: ${message}` : message,
    details,
  );
}
