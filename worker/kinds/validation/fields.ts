import { byteLength } from "../../lib/bytes.ts";
import { labelValueProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { type FieldError, invalidValue } from "../../lib/status.ts";

/** Field errors and checks that many validators share. Maps are visited by sorted key, so that causes keep an order. */
export type Problems = Iterable<FieldError>;

export const NOT_NEGATIVE = "must be greater than or equal to 0";

export const notFoundField = (field: string, value: unknown): FieldError => ({
  field,
  reason: "FieldValueNotFound",
  message: `Not found: ${JSON.stringify(value)}`,
});

export const entries = <T>(map: Readonly<Record<string, T>> | null | undefined): [string, T][] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** One `Invalid value` for each reason that a rule gives. */
export function* invalidFor(field: string, value: unknown, reasons: Iterable<string>): Problems {
  for (const reason of reasons) yield invalidValue(field, value, reason);
}

/** Absent counts as 0. */
export function* notNegative(field: string, value: number | null | undefined): Problems {
  if ((value ?? 0) < 0) yield invalidValue(field, value, NOT_NEGATIVE);
}

export function* validateLabels(labels: Readonly<Record<string, string>> | null | undefined, field: string): Problems {
  for (const [key, value] of entries(labels)) {
    yield* invalidFor(field, key, qualifiedNameProblems(key));
    yield* invalidFor(field, value, labelValueProblems(value));
  }
}

const MAX_ANNOTATIONS_BYTES = 256 * 1024;

export function* validateAnnotations(
  annotations: Readonly<Record<string, string>> | null | undefined,
  field: string,
): Problems {
  let bytes = 0;
  for (const [key, value] of entries(annotations)) {
    bytes += byteLength(key) + byteLength(value);
    yield* invalidFor(field, key, qualifiedNameProblems(key.toLowerCase()));
  }
  if (bytes > MAX_ANNOTATIONS_BYTES)
    yield {
      field,
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`,
    };
}

/** A file path below some directory. */
export function* validateDescendingPath(path: string, field: string): Problems {
  if (path.startsWith("/")) yield invalidValue(field, path, "must be a relative path");
  yield* validateNoBacksteps(path, field);
}

export function* validateNoBacksteps(path: string, field: string): Problems {
  if (path.split("/").includes("..")) yield invalidValue(field, path, "must not contain '..'");
}
