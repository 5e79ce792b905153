import { ApiError, badRequest } from "../../lib/status.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import type { Core } from "./core.ts";
import { removeObject } from "./delete.ts";
import { deleteOptions } from "./options.ts";
import { list } from "./read.ts";

/** Deletes what a list with the same query finds, and answers with that list. */
export function deleteCollection(core: Core, request: ApiRequest): ApiResult {
  const options = deleteOptions(request);
  // An empty namespace in the path is not all of them.
  if (request.kind.namespaced && !request.namespace) throw badRequest("Namespace parameter required.");
  return core.store.write((txn) => {
    const found = list(core, request);
    if (found.type !== "list") return found;
    for (const json of found.items) {
      const { metadata } = JSON.parse(json) as { metadata: { namespace?: string; name: string; uid: string } };
      const one = { ...request, namespace: metadata.namespace ?? "", name: metadata.name };
      try {
        removeObject(core, txn, one, { ...options, preconditions: { ...options.preconditions } });
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 404)) throw error;
      }
    }
    return found;
  });
}
