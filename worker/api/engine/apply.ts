import { apply } from "../../kinds/patch/apply.ts";
import { isObject, jsonKind, parse } from "../../kinds/patch/json.ts";
import { badRequest, conflict, notFound } from "../../lib/status.ts";
import type { StoredObject, Txn } from "../../storage/store.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { checkRepeatedKeys, normalize } from "./body.ts";
import { fromStored } from "./conversions.ts";
import type { Core, Loose } from "./core.ts";
import { createObject } from "./create.ts";
import { alreadyTracked, trackingOf } from "./fields.ts";
import { checkNamed } from "./metadata.ts";
import { type WriteOptions, writeOptions } from "./options.ts";
import { keyOf, subjectOf } from "./stored.ts";
import { isCreatedBy, updateObject } from "./update.ts";

/** Server-side apply: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export function applyPatch(core: Core, request: ApiRequest): ApiResult {
  const options = writeOptions(request);
  const applied = parseApplied(request.body);
  return core.store.write((txn) => {
    const stored = txn.get(keyOf(request.kind, request.namespace, request.name));
    return stored
      ? applyTo(core, txn, request, options, applied, stored)
      : applyNew(core, txn, request, options, applied);
  });
}

/** Throws 400 for what is no map, in the words of a decoder of YAML, of which JSON is a part. */
export function parseApplied(body = ""): Loose {
  const value = parse(body, "error decoding YAML: ") ?? {};
  if (isObject(value)) return value as Loose;
  throw badRequest(
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`,
  );
}

function applyTo(
  core: Core,
  txn: Txn,
  request: ApiRequest,
  options: WriteOptions,
  applied: Loose,
  stored: StoredObject,
): ApiResult {
  const { kind, namespace, name } = request;
  const { warnings } = core;
  const object = merged(core, request, options, applied, fromStored(kind, JSON.parse(stored.json) as Loose), warnings);
  checkNamed(kind, object, namespace, name);
  const json = updateObject(core, txn, request, options, object, stored, warnings, alreadyTracked);
  return { type: "object", code: 200, kind, json, warnings };
}

function applyNew(core: Core, txn: Txn, request: ApiRequest, options: WriteOptions, applied: Loose): ApiResult {
  const { kind, namespace, name, subresource } = request;
  if (subresource && !isCreatedBy(request)) throw notFound(subjectOf(kind, name));
  if (applied.metadata?.uid)
    throw conflict(
      subjectOf(kind, name),
      `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`,
    );
  const { warnings } = core;
  const object = merged(core, request, options, applied, undefined, warnings);
  checkNamed(kind, object, namespace, name);
  const json = createObject(core, txn, request, options, object, warnings, alreadyTracked);
  return { type: "object", code: 201, kind, json, warnings };
}

/** What the object becomes, with its managedFields and defaults. */
function merged(
  core: Core,
  request: ApiRequest,
  { fieldManager, fieldValidation, force }: WriteOptions,
  applied: Loose,
  live: Loose | undefined,
  warnings: string[],
): Loose {
  const { kind, subresource } = request;
  const tracking = trackingOf({ core, kind, subresource }, fieldManager);
  const object = apply({ ...tracking, kind: kind.kind, live, applied, force }) as Loose;
  checkRepeatedKeys(request, fieldValidation, warnings, "error strict decoding YAML");
  return normalize(core.kinds, kind, object, fieldValidation, warnings);
}
