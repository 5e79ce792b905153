import { DecodeError, decode, type FieldValidation } from "../../kinds/decode.ts";
import { duplicateKeys } from "../../kinds/duplicates.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";
import { hex } from "../../lib/bytes.ts";
import { JsonError, jsonWord, parseJson } from "../../lib/json.ts";
import { type ApiError, badRequest, invalid, invalidValue } from "../../lib/status.ts";
import type { ApiRequest } from "../request.ts";
import type { Loose } from "./core.ts";
import { isBuiltIn } from "./stored.ts";

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
/** Why a body that is JSON says not what it is. */
export const notAnObject = (value: unknown) =>
  `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonWord(value)} into Go value of type ${STRUCT}`;
/** Characters of a body that the refusal shows. */
const SUMMARY_LENGTH = 30;

/** A body that does not even say what it is, in the words of kube-apiserver. */
export function unrecognized(kind: { kind: string }, body: string, why: string): ApiError {
  const bytes = new TextEncoder().encode(body.slice(0, SUMMARY_LENGTH + 1));
  const shown = body.startsWith("{") ? body.slice(0, SUMMARY_LENGTH) : hex(bytes.subarray(0, SUMMARY_LENGTH));
  const summary = `${shown || "<empty>"}${bytes.length > SUMMARY_LENGTH ? " ..." : ""}`;
  return badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${summary})`);
}

/** Text to an object that says what it is, or says nothing. Throws 400 for anything else. */
export function parseObject(kind: Kind, body = ""): Loose {
  const refuse = (why: string) => unrecognized(kind, body, `couldn't get version/kind; json parse error: ${why}`);
  let value: unknown;
  try {
    value = parseJson(body);
  } catch (error) {
    throw error instanceof JsonError ? refuse(error.message) : error;
  }
  if (value !== null && !isObject(value)) throw unrecognized(kind, body, notAnObject(value));
  const object = value ?? ({} as Loose);
  for (const field of ["apiVersion", "kind"]) {
    const said = object[field] ?? "";
    if (typeof said !== "string")
      throw refuse(`json: cannot unmarshal ${jsonWord(said)} into Go struct field .${field} of type string`);
    if (field === "apiVersion" && said.split("/").length > 2)
      throw unrecognized(kind, body, `unexpected GroupVersion string: ${said}`);
  }
  if (!object.kind && !isBuiltIn(kind)) throw unrecognized(kind, body, `Object 'Kind' is missing in '${body}'`);
  return object;
}

/** A body as the kind's normal form with its defaults; warnings are added. Throws 400 for what the type cannot hold. */
export function readBody(
  kinds: Kinds,
  kind: Kind,
  request: Pick<ApiRequest, "body" | "repeatedKeys">,
  validation: FieldValidation,
  warnings: string[],
): Loose {
  const object = parseObject(kind, request.body);
  const duplicates = validation === "Ignore" ? [] : duplicateKeys(request.body ?? "");
  checkRepeatedKeys(
    request,
    validation,
    warnings,
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error`,
  );
  return normalize(kinds, kind, object, validation, warnings, { duplicates });
}

/** Keys that YAML names twice: a warning, or with `Strict` a 400 that begins with `refusal`. */
export function checkRepeatedKeys(
  { repeatedKeys = [] }: Pick<ApiRequest, "repeatedKeys">,
  validation: FieldValidation,
  warnings: string[],
  refusal: string,
): void {
  if (validation === "Ignore" || repeatedKeys.length === 0) return;
  if (validation === "Strict") throw badRequest(`${refusal}: yaml: unmarshal errors:\n  ${repeatedKeys.join("\n  ")}`);
  warnings.push(...repeatedKeys);
}

/** The Status of a body that its kind cannot hold, and why not. */
export type Refuse = (why: string, said: { kind: string; version: string }) => ApiError;

/** How a body is read. */
export type Reading = {
  /** Paths from `duplicateKeys`. */
  duplicates?: readonly string[];
  /** What strict decoding has found already. */
  problems?: readonly string[];
  /** Whether what it finds comes in the order of the texts. */
  sorted?: boolean;
  /** Whether none of its fields is known. */
  nameless?: boolean;
  refuse?: Refuse;
};

const cannotBeHandled =
  ({ kind }: Kind): Refuse =>
  (why, said) =>
    badRequest(`${said.kind} in version "${said.version}" cannot be handled as a ${kind}: ${why}`);

/** What a patch leaves there may be anything. */
const textOr = (otherwise: string, value: unknown): string => (typeof value === "string" && value) || otherwise;

/** The object, changed in place, in the form its kind would give it, with its defaults. Throws what `refuse` makes. */
export function normalize(
  kinds: Kinds,
  kind: Kind,
  object: Loose,
  validation: FieldValidation,
  warnings: string[],
  { duplicates = [], problems = [], sorted = false, nameless = false, refuse = cannotBeHandled(kind) }: Reading = {},
): Loose {
  if (!isObject(object)) throw refuse(notAnObject(object), { kind: kind.kind, version: kind.version });
  if (!isBuiltIn(kind)) noteForeign(kinds, kind, object, validation, warnings, refuse);
  checkKind(kinds, kind, object, refuse);
  const said = {
    kind: textOr(kind.kind, object.kind),
    version: textOr(kind.version, object.apiVersion).split("/").at(-1) || kind.version,
  };
  const clearsManagers = isBuiltIn(kind) && isEmptyList(object.metadata?.managedFields);
  const found = decodeOr(refuse, said, kind, object, validation === "Ignore" ? "Ignore" : "Warn", duplicates);
  const unknown = nameless ? takeFields(object) : sorted ? found.toSorted() : found;
  const all = validation === "Ignore" ? [] : [...problems, ...unknown];
  if (validation === "Strict" && all.length > 0) throw refuse(`strict decoding error: ${all.join(", ")}`, said);
  warnings.push(...all);
  object.apiVersion = kind.apiVersion;
  object.kind = kind.kind;
  object.metadata ??= {};
  if (clearsManagers) object.metadata.managedFields = [];
  kind.default(object);
  return object;
}

function decodeOr(refuse: Refuse, said: Parameters<Refuse>[1], { schema }: Kind, ...of: Rest): readonly string[] {
  try {
    return decode(schema, ...of);
  } catch (error) {
    throw error instanceof DecodeError ? refuse(error.message, said) : error;
  }
}

type Rest = [object: Loose, mode: FieldValidation, duplicates: readonly string[]];

/** Takes out all fields, and says that they are not known. */
function takeFields(object: Loose): string[] {
  const names = Object.keys(object).filter((name) => name !== "apiVersion" && name !== "kind");
  for (const name of names) delete object[name];
  return names.sort().map((name) => `unknown field ${JSON.stringify(name)}`);
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Refuses unless the body says it is of this kind, or says nothing. */
function checkKind(kinds: Kinds, kind: Kind, object: Loose, refuse: Refuse): void {
  const { apiVersion, kind: name } = object;
  const givenVersion = typeof apiVersion === "string" && apiVersion !== "" ? apiVersion : kind.apiVersion;
  const givenName = typeof name === "string" && name !== "" ? name : kind.kind;
  if (givenVersion === kind.apiVersion && givenName === kind.kind) return;
  if (!isBuiltIn(kind)) throw customMismatch(kind, givenVersion, givenName, object.metadata?.name);
  const said = { kind: givenName, version: givenVersion.split("/").at(-1) ?? "" };
  if (!isRegistered(kinds, givenVersion, givenName))
    throw refuse(
      `no kind "${givenName}" is registered for version "${givenVersion}" in scheme "pkg/runtime/scheme.go:111"`,
      said,
    );
  const group = kind.group.split(".")[0] || "core";
  throw refuse(`converting (${said.version}.${givenName}) to (${group}.${kind.kind}): unknown conversion`, said);
}

/** Lists are kinds too. */
const isRegistered = (kinds: Kinds, apiVersion: string, name: string): boolean =>
  [name, name.replace(/List$/, "")].some((kind) => kinds.byKind(apiVersion, kind));

/** Of a version that a custom resource does not have, none of its fields is known. */
function noteForeign(
  kinds: Kinds,
  kind: Kind,
  object: Loose,
  validation: FieldValidation,
  warnings: string[],
  refuse: Refuse,
): void {
  const { apiVersion, kind: name = kind.kind } = object;
  if (validation === "Ignore" || !apiVersion || name !== kind.kind || kinds.byKind(apiVersion, name)) return;
  const names = Object.keys(object).filter((field) => !["apiVersion", "kind", "metadata"].includes(field));
  const found = names.sort().map((field) => `unknown field ${JSON.stringify(field)}`);
  if (validation === "Strict" && found.length > 0)
    throw refuse(`strict decoding error: ${found.join(", ")}`, {
      kind: name,
      version: apiVersion.split("/").at(-1) ?? "",
    });
  warnings.push(...found);
}

function customMismatch(kind: Kind, version: string, said: string, name = "") {
  return version !== kind.apiVersion
    ? badRequest(
        `the API version in the data (${version}) does not match the expected API version (${kind.apiVersion})`,
      )
    : invalid({ group: kind.group, kind: said, name }, [invalidValue("kind", said, `must be ${kind.kind}`)]);
}
