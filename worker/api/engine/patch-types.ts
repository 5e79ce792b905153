import type { FieldValidation } from "../../kinds/decode.ts";
import { duplicateKeys } from "../../kinds/duplicates.ts";
import type { Kind } from "../../kinds/kind.ts";
import { showMap } from "../../kinds/patch/fields/go-text.ts";
import { oddities, readJsonPatch } from "../../kinds/patch/json-patch.ts";
import { readMergePatch } from "../../kinds/patch/merge-patch.ts";
import { misconversion } from "../../kinds/patch/misconversion.ts";
import { patchedText } from "../../kinds/patch/patched-text.ts";
import { readStrategicPatch } from "../../kinds/patch/strategic-merge.ts";
import { type ApiError, invalid, invalidValue, unsupportedMediaType } from "../../lib/status.ts";
import type { ApiRequest } from "../request.ts";
import type { Reading } from "./body.ts";
import type { Loose } from "./core.ts";
import { isBuiltIn } from "./stored.ts";

/** What a patch makes of an object, which may be changed in place, and how that is to be read. */
export type Patched = { object: Loose; reading: Reading };

/** Reads a patch's body and says what becomes of an object. Throws the Status of a patch that makes no sense. */
export type PatchType = (
  kind: Kind,
  request: Pick<ApiRequest, "body">,
  object: Loose,
  validation: FieldValidation,
) => Patched;

/** An object that is none any more, or not one of its kind: 422, with what the patch made of it. */
const refusal =
  (shown: string) =>
  (why: string): ApiError =>
    invalid({ group: "", kind: "", name: "" }, [invalidValue("patch", shown, why)]);

const json: PatchType = (kind, { body }, before, validation) => {
  const object = readJsonPatch(body, validation !== "Ignore")(before) as Loose;
  const problems = oddities(body, duplicateKeys(body ?? ""));
  return { object, reading: { problems, refuse: refusal(patchedText(before, object)), ...untyped(kind, object) } };
};

/** What does not say its version any more is read as something of no version, in which no field has its name. */
const untyped = (kind: Kind, { apiVersion }: Loose): Pick<Reading, "nameless"> =>
  isBuiltIn(kind) && !apiVersion ? { nameless: true } : {};

const repeated = (body: string | undefined) =>
  duplicateKeys(body ?? "").map((path) => `duplicate field ${JSON.stringify(path)}`);

const merge: PatchType = (kind, { body }, before) => {
  const object = readMergePatch(body)(before) as Loose;
  const refuse = refusal(patchedText(before, object));
  return { object, reading: { problems: repeated(body), refuse, ...untyped(kind, object) } };
};

const strategic: PatchType = (kind, { body }, before) => {
  const { patch, change } = readStrategicPatch(kind.schema, body);
  // What it says of the type is passed over: the object is read as what it was.
  const object = { ...change(before), apiVersion: kind.apiVersion, kind: kind.kind } as Loose;
  const refuse = refusal(showMap(patch));
  const problem = misconversion(kind.schema, object);
  if (problem) throw refuse(problem);
  return { object, reading: { problems: repeated(body), refuse, sorted: true } };
};

const STRATEGIC = "application/strategic-merge-patch+json";

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": json,
  "application/merge-patch+json": merge,
  [STRATEGIC]: strategic,
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
