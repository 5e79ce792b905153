import { DecodeError, decode } from "../../kinds/decode.ts";
import { schemaOf } from "../../kinds/tables.ts";
import { byteLength } from "../../lib/bytes.ts";
import { JsonError, parseJson } from "../../lib/json.ts";
import { isTrue } from "../../lib/query.ts";
import { badRequest, type FieldError, forbiddenField, invalid, invalidValue, notSupported } from "../../lib/status.ts";
import type { ApiRequest } from "../request.ts";
import { notAnObject } from "./body.ts";
import { isApply } from "./patch-types.ts";

/**
 * The options of writes, from the query or a DELETE's body.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/
 */
export type WriteOptions = { dryRun: boolean; fieldManager: string; fieldValidation: FieldValidation; force: boolean };
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export type DeleteOptions = {
  gracePeriodSeconds?: number;
  orphanDependents?: boolean;
  propagationPolicy?: string;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: readonly string[];
};

const MAX_MANAGER_BYTES = 128;

const invalidOptions = (kind: string, problems: readonly FieldError[]) =>
  invalid({ group: "meta.k8s.io", kind, name: "" }, problems);

function* dryRunProblems(values: readonly string[]): Iterable<FieldError> {
  if (values.some((value) => value !== "All")) yield notSupported("dryRun", values, ["All"]);
}

const OPTIONS_KIND: Readonly<Record<string, string>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
};

/** Throws 422 for what it does not know. */
export function writeOptions({ query, verb, contentType, userAgent }: ApiRequest): WriteOptions {
  const applies = verb === "patch" && isApply({ contentType });
  const dryRun = query.getAll("dryRun");
  const fieldManager = query.get("fieldManager") ?? "";
  const validation = query.get("fieldValidation") ?? "";
  const force = query.get("force");
  const problems: FieldError[] = [];
  if (verb === "patch" && !applies && force !== null)
    problems.push(forbiddenField("force", "may not be specified for non-apply patch"));
  if (applies && fieldManager === "")
    problems.push({
      field: "fieldManager",
      reason: "FieldValueRequired",
      message: "Required value: is required for apply patch",
    });
  if (fieldManager.length > MAX_MANAGER_BYTES)
    problems.push({
      field: "fieldManager",
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${MAX_MANAGER_BYTES} bytes`,
    });
  problems.push(...unprintable(fieldManager));
  problems.push(...dryRunProblems(dryRun));
  if (!["", "Ignore", "Strict", "Warn"].includes(validation))
    problems.push(notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  if (problems.length) throw invalidOptions(OPTIONS_KIND[verb] ?? "UpdateOptions", problems);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager || managerOf(userAgent),
    fieldValidation: (validation || "Warn") as FieldValidation,
    force: isTrue(force),
  };
}

function* unprintable(fieldManager: string): Iterable<FieldError> {
  let at = 0;
  for (const char of fieldManager) {
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    if (char !== " " && /[\p{C}\p{Z}]/u.test(char))
      yield invalidValue("fieldManager", fieldManager, `invalid character U+${code} (at position ${at})`);
    at += byteLength(char);
  }
}

/** The part of a User-Agent before the first "/"; at most 128 bytes, as the field manager's limit is. */
const managerOf = (userAgent: string): string => (userAgent.split("/")[0] || "unknown").slice(0, MAX_MANAGER_BYTES);

const POLICIES = ["Foreground", "Background", "Orphan", "nil"];

/** A body wins over the query, as upstream. Throws 400 for a body that is not DeleteOptions and 422 for bad values. */
export function deleteOptions({ query, body }: ApiRequest): DeleteOptions {
  const options = body === undefined || body.trim() === "" ? optionsOfQuery(query) : optionsOfBody(body);
  const problems: FieldError[] = [];
  if (options.propagationPolicy !== undefined && options.orphanDependents !== undefined)
    problems.push(
      invalidValue(
        "propagationPolicy",
        options.propagationPolicy,
        "orphanDependents and deletionPropagation cannot be both set",
      ),
    );
  if (options.propagationPolicy !== undefined && !POLICIES.slice(0, 3).includes(options.propagationPolicy))
    problems.push(notSupported("propagationPolicy", options.propagationPolicy, POLICIES));
  problems.push(...dryRunProblems(options.dryRun ?? []));
  if (problems.length) throw invalidOptions("DeleteOptions", problems);
  return options;
}

function optionsOfQuery(query: URLSearchParams): DeleteOptions {
  const options: DeleteOptions = {};
  const grace = query.get("gracePeriodSeconds");
  if (grace !== null) options.gracePeriodSeconds = wholeNumber(grace);
  const orphan = query.get("orphanDependents");
  if (orphan !== null) options.orphanDependents = isTrue(orphan);
  const policy = query.get("propagationPolicy");
  if (policy !== null) options.propagationPolicy = policy;
  if (query.has("dryRun")) options.dryRun = query.getAll("dryRun");
  for (const name of ["uid", "resourceVersion"] as const) {
    const wanted = query.get(name);
    if (wanted !== null) options.preconditions = { ...options.preconditions, [name]: wanted };
  }
  return options;
}

/** The largest number to which one can still be added. */
const MAX_EXACT = Number.MAX_SAFE_INTEGER - 1;

/** An integer of the query; anything else is a 400 in strconv's words. */
export function wholeNumber(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const number = BigInt(text.replace("+", ""));
  if (BigInt.asIntN(64, number) !== number)
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return Math.max(-MAX_EXACT, Math.min(MAX_EXACT, Number(number)));
}

function optionsOfBody(body: string): DeleteOptions {
  let value: unknown;
  try {
    value = parseJson(body) ?? {};
  } catch (error) {
    throw error instanceof JsonError
      ? badRequest(`couldn't get version/kind; json parse error: ${error.message}`)
      : error;
  }
  if (!isObject(value)) throw badRequest(notAnObject(value));
  const { kind, apiVersion = "meta.k8s.io/v1" } = value;
  if (kind && kind !== "DeleteOptions")
    throw badRequest(
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  try {
    decode(schemaOf(DELETE_OPTIONS), value, "Ignore");
  } catch (error) {
    throw error instanceof DecodeError ? badRequest(error.message) : error;
  }
  return value;
}

const DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

const isObject = (value: unknown): value is DeleteOptions & { kind?: string; apiVersion?: string } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
