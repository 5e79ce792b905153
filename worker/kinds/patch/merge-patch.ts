import { badRequest } from "../../lib/status.ts";
import { isObject, type JsonObject, own, parseObject, set } from "./json.ts";

/** Reads the body of an `application/merge-patch+json` request. Throws 400 for what is not a JSON object. */
export function readMergePatch(body: string | undefined): (document: unknown) => unknown {
  if (body?.trim() === "null") throw badRequest("Invalid JSON Patch");
  const patch = parseObject(body, "error decoding patch: ");
  return (document) => mergePatch(document, patch);
}

/** Returns `target` with `patch` merged in; neither is changed. https://www.rfc-editor.org/rfc/rfc7386 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && !isObject(target)) return patch.map(withoutNulls);
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else set(result, key, mergePatch(own(result, key), value));
  }
  return result;
}

/** What replaces something has no nulls, as kube-apiserver's library leaves them out: not even those within lists. */
function withoutNulls(value: unknown): unknown {
  return typeof value === "object" && value !== null ? mergePatch(undefined, value) : value;
}
