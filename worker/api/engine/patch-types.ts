import type { Kind } from "../../kinds/kind.ts";
import { readJsonPatch } from "../../kinds/patch/json-patch.ts";
import { readMergePatch } from "../../kinds/patch/merge-patch.ts";
import { readStrategicPatch } from "../../kinds/patch/strategic-merge.ts";
import { unsupportedMediaType } from "../../lib/status.ts";
import type { ApiRequest } from "../request.ts";
import type { Loose } from "./core.ts";
import { isBuiltIn } from "./stored.ts";

/** Reads a patch's body and returns what it does to an object; may change that object in place. */
export type PatchType = { read(kind: Kind, body: string | undefined): (object: Loose) => Loose };

type Change = (document: unknown) => unknown;
const loose = (change: Change) => (object: Loose) => change(object) as Loose;

const STRATEGIC = "application/strategic-merge-patch+json";

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": { read: (_, body) => loose(readJsonPatch(body)) },
  "application/merge-patch+json": { read: (_, body) => loose(readMergePatch(body)) },
  [STRATEGIC]: { read: (kind, body) => loose(readStrategicPatch(kind.schema, body)) },
};

export const isApply = ({ contentType }: Pick<ApiRequest, "contentType">): boolean =>
  /^application\/apply-patch\b/.test(contentType);

/** Throws 415. Custom resources have no merge keys, so they refuse strategic patches. */
export function patchType({ kind, contentType }: Pick<ApiRequest, "kind" | "contentType">): PatchType {
  if (contentType === STRATEGIC && !isBuiltIn(kind))
    throw unsupportedMediaType(
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
  const type = patchTypes[contentType];
  if (!type) throw unsupportedMediaType("415: Unsupported Media Type");
  return type;
}
