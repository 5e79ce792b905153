import { notFound } from "../../lib/status.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { applyPatch } from "./apply.ts";
import { normalize } from "./body.ts";
import { fromStored } from "./conversions.ts";
import type { Core, Loose } from "./core.ts";
import { checkNamed } from "./metadata.ts";
import { writeOptions } from "./options.ts";
import { isApply, patchType } from "./patch-types.ts";
import { keyOf, subjectOf } from "./stored.ts";
import { updateObject } from "./update.ts";

export function patch(core: Core, request: ApiRequest): ApiResult {
  const { kind, namespace, name } = request;
  if (isApply(request)) return applyPatch(core, request);
  const patchWith = patchType(request);
  const options = writeOptions(request);
  return core.store.write((txn): ApiResult => {
    const stored = txn.get(keyOf(kind, namespace, name));
    if (!stored) throw notFound(subjectOf(kind, name));
    const { warnings } = core;
    const patched = patchWith(
      kind,
      request,
      fromStored(kind, JSON.parse(stored.json) as Loose),
      options.fieldValidation,
    );
    const object = normalize(core.kinds, kind, patched.object, options.fieldValidation, warnings, patched.reading);
    checkNamed(kind, object, namespace, name);
    const json = updateObject(core, txn, request, options, object, stored, warnings);
    return { type: "object", code: 200, kind, json, warnings };
  });
}
