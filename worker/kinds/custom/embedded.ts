import { dns1035LabelProblems, pathSegmentProblems } from "../../lib/names.ts";
import type { ObjectMeta } from "../../lib/object.ts";
import { type FieldError, invalidValue } from "../../lib/status.ts";
import type { Schema } from "../schema.ts";
import { validateAnnotations, validateLabels } from "../validation/fields.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with the type and metadata of objects that stand within another; that there is a type is seen elsewhere. */
export function* embeddedProblems(schema: Schema, value: unknown, path: string): Iterable<FieldError> {
  if (typeof value !== "object" || value === null || schema.name) return;
  if (Array.isArray(value)) {
    if (schema.items)
      for (const [index, item] of value.entries()) yield* embeddedProblems(schema.items, item, `${path}[${index}]`);
    return;
  }
  const object = value as Fields;
  if (schema.embedded) yield* resourceProblems(object, path);
  for (const [name, item] of Object.entries(object)) {
    const field = schema.fields && Object.hasOwn(schema.fields, name) ? schema.fields[name] : schema.items;
    const at = schema.type === "map" ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    if (field) yield* embeddedProblems(field, item, at);
  }
}

function* resourceProblems({ apiVersion, kind, metadata }: Fields, path: string): Iterable<FieldError> {
  if (typeof apiVersion === "string") {
    const at = `${path}.apiVersion`;
    if (!apiVersion) yield invalidValue(at, apiVersion, "must not be empty");
    else if (apiVersion.split("/").length > 2)
      yield invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  }
  if (typeof kind === "string") {
    const at = `${path}.kind`;
    const problems = dns1035LabelProblems(kind.toLowerCase());
    if (!kind) yield invalidValue(at, kind, "must not be empty");
    else if (problems.length)
      yield invalidValue(at, kind, `may have mixed case, but should otherwise match: ${problems.join(",")}`);
  }
  if (typeof metadata !== "object" || metadata === null) return;
  const { name, labels, annotations } = metadata as ObjectMeta;
  for (const why of name ? pathSegmentProblems(name) : []) yield invalidValue(`${path}.metadata.name`, name, why);
  yield* validateLabels(labels, `${path}.metadata.labels`);
  yield* validateAnnotations(annotations, `${path}.metadata.annotations`);
}
