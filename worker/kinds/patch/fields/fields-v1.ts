import { isObject } from "../json.ts";
import { parseElement } from "./element.ts";

/** Steps of a kind that is not known, from some later version: they are passed over. */
const UNKNOWN = /^[^fkvi]:/;

/** Whether a value that a client sent is a FieldsV1, which a `FieldSet` can be made of. */
export function isFieldsV1(fields: unknown): fields is Record<string, unknown> {
  if (!isObject(fields)) return false;
  return Object.entries(fields).every(
    ([key, below]) => key === "." || UNKNOWN.test(key) || (parseElement(key) !== undefined && isFieldsV1(below)),
  );
}
