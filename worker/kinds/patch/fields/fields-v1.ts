import { isObject } from "../json.ts";
import { parseElement } from "./element.ts";

/** Whether a value that a client sent is a FieldsV1, which a `FieldSet` can be made of. */
export function isFieldsV1(fields: unknown): fields is Record<string, unknown> {
  if (!isObject(fields)) return false;
  return Object.entries(fields).every(
    ([key, below]) => key === "." || (parseElement(key) !== undefined && isFieldsV1(below)),
  );
}
