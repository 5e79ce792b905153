/**
 * Kubernetes Status errors: thrown as one class, rendered once.
 * Reasons and codes: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#response-status-kind
 */
import { goJson } from "./go-json.ts";

export type StatusCause = { reason?: string; message?: string; field?: string };

export type StatusDetails = {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
};

export type Status = {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Failure" | "Success";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
};

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  status(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** What a Status message names: `deployments.apps "web" not found`. */
export type Subject = { group: string; resource: string; name?: string };

const qualified = (s: { group: string; resource: string }) => (s.group ? `${s.resource}.${s.group}` : s.resource);
const details = (s: Subject): StatusDetails => ({
  ...(s.name ? { name: s.name } : {}),
  ...(s.group ? { group: s.group } : {}),
  kind: s.resource,
});

export const notFound = (s: Subject) =>
  new ApiError(404, "NotFound", `${qualified(s)} "${s.name ?? ""}" not found`, details(s));
export const alreadyExists = (s: Subject) =>
  new ApiError(409, "AlreadyExists", `${qualified(s)} "${s.name ?? ""}" already exists`, details(s));
export const conflict = (s: Subject, why: string) =>
  new ApiError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(s)} "${s.name ?? ""}": ${why}`,
    details(s),
  );
export const modified = (s: Subject) =>
  conflict(s, "the object has been modified; please apply your changes to the latest version and try again");
export const badRequest = (message: string) => new ApiError(400, "BadRequest", message);
export const unauthorized = () => new ApiError(401, "Unauthorized", "Unauthorized");
export const forbidden = (s: Subject, why: string) =>
  new ApiError(403, "Forbidden", `${qualified(s)}${s.name ? ` "${s.name}"` : ""} is forbidden: ${why}`, details(s));
export const expired = (message: string) => new ApiError(410, "Expired", message);
export const methodNotAllowed = () =>
  new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
export const unsupportedMediaType = (message: string) => new ApiError(415, "UnsupportedMediaType", message);
export const notAcceptable = (message: string) => new ApiError(406, "NotAcceptable", message);
export const tooLarge = (message: string) => new ApiError(413, "RequestEntityTooLarge", message);
export const internalError = (message: string) =>
  new ApiError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });

/** One problem of one field, in the words of apimachinery's `field.Error`. */
export type FieldError = { field: string; reason: string; message: string };

/** 422 with every problem as a cause, as `errors.NewInvalid` composes it. `kind` is the Kind, not the plural. */
export function invalid(
  subject: { group: string; kind: string; name: string },
  problems: readonly FieldError[],
): ApiError {
  const texts = [...new Set(problems.map((p) => `${p.field}: ${p.message}`))];
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const qualifiedKind = subject.group ? `${subject.kind}.${subject.group}` : subject.kind;
  return new ApiError(
    422,
    "Invalid",
    `${qualifiedKind} "${subject.name}" is invalid${problems.length ? `: ${list}` : ""}`,
    {
      ...(subject.name ? { name: subject.name } : {}),
      ...(subject.group ? { group: subject.group } : {}),
      ...(subject.kind ? { kind: subject.kind } : {}),
      ...(problems.length
        ? { causes: problems.map((p) => ({ reason: p.reason, message: p.message, field: p.field })) }
        : {}),
    },
  );
}

/** Constructors in the words of `k8s.io/apimachinery/pkg/util/validation/field`. Values print as Go's %q or JSON. */
const show = (value: unknown): string => {
  if (value === undefined) return "null";
  if (typeof value === "string") return goQuoted(value);
  return goJson(value);
};

/** `%q`: what cannot be printed is escaped otherwise than in JSON. */
export const goQuoted = (text: string): string =>
  JSON.stringify(text).replace(
    /\\\\|\\u00([01].)|[\u007f-\u009f\u00ad]|(?! )[\p{Cf}\p{Z}]/gu,
    (char, control?: string) => {
      if (control) return control === "07" ? "\\a" : control === "0b" ? "\\v" : `\\x${control}`;
      if (char === "\\\\") return char;
      const code = (char.codePointAt(0) ?? 0).toString(16);
      return code.length <= 2 && char < "\u0080" ? `\\x${code}` : `\\u${code.padStart(4, "0")}`;
    },
  );

export const required = (field: string, why = ""): FieldError => ({
  field,
  reason: "FieldValueRequired",
  message: why ? `Required value: ${why}` : "Required value",
});
export const invalidValue = (field: string, value: unknown, why: string): FieldError => ({
  field,
  reason: "FieldValueInvalid",
  message: `Invalid value: ${show(value)}${why && `: ${why}`}`,
});
/** Where the value is too large to be shown. */
export const withoutValue = (field: string, why: string): FieldError => ({
  field,
  reason: "FieldValueInvalid",
  message: `Invalid value: ${why}`,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  field,
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${show(value)}`,
});
/** `supported` prints in the given order. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  field,
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${show(value)}: supported values: ${supported.map((s) => JSON.stringify(s)).join(", ")}`,
});
export const forbiddenField = (field: string, why: string): FieldError => ({
  field,
  reason: "FieldValueForbidden",
  message: `Forbidden: ${why}`,
});
export const tooLong = (field: string, maxBytes: number): FieldError => ({
  field,
  reason: "FieldValueTooLong",
  message: `Too long: may not be more than ${maxBytes} bytes`,
});
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  field,
  reason: "FieldValueTooMany",
  message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? "item" : "items"}`,
});
