import { decodeObject, type FieldValidation } from "../../kinds/decode.ts";
import { duplicateKeys } from "../../kinds/duplicates.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";
import { badRequest } from "../../lib/status.ts";
import type { Loose } from "./core.ts";
import { isBuiltIn } from "./stored.ts";

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Text to an object of any shape. Throws 400 for what is not JSON or not an object. */
export function parseObject(body: string | undefined): Loose {
  const value = parseJson(body);
  if (!isObject(value))
    throw badRequest(
      "couldn't get version/kind; json parse error: json: cannot unmarshal " +
        `${Array.isArray(value) ? "array" : typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  return value;
}

export function parseJson(body: string | undefined): unknown {
  if (body === undefined || body.trim() === "")
    throw badRequest("couldn't get version/kind; json parse error: unexpected end of JSON input");
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

/** A body as the kind's normal form with its defaults; warnings are added. Throws 400 for what the type cannot hold. */
export function readBody(
  kinds: Kinds,
  kind: Kind,
  body: string | undefined,
  validation: FieldValidation,
  warnings: string[],
): Loose {
  const object = parseObject(body);
  const duplicates = validation === "Ignore" ? [] : duplicateKeys(body ?? "");
  return normalize(kinds, kind, object, validation, warnings, duplicates);
}

export function normalize(
  kinds: Kinds,
  kind: Kind,
  object: Loose,
  validation: FieldValidation,
  warnings: string[],
  duplicates: readonly string[] = [],
): Loose {
  checkKind(kinds, kind, object);
  warnings.push(...decodeObject(kind, object, validation, duplicates));
  object.apiVersion = kind.apiVersion;
  object.kind = kind.kind;
  object.metadata ??= {};
  kind.default(object);
  return object;
}

/** Throws 400 unless the body says it is of this kind, or says nothing. */
function checkKind(kinds: Kinds, kind: Kind, { apiVersion, kind: name }: Loose): void {
  const givenVersion = typeof apiVersion === "string" && apiVersion !== "" ? apiVersion : kind.apiVersion;
  const givenName = typeof name === "string" && name !== "" ? name : kind.kind;
  if (givenVersion === kind.apiVersion && givenName === kind.kind) return;
  if (!isBuiltIn(kind)) throw customMismatch(kind, givenVersion, givenName);
  const version = givenVersion.split("/").at(-1);
  const handled = `${givenName} in version "${version}" cannot be handled as a ${kind.kind}`;
  if (!kinds.byKind(givenVersion, givenName))
    throw badRequest(
      `${handled}: no kind "${givenName}" is registered for version "${givenVersion}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  const group = kind.group.split(".")[0] || "core";
  throw badRequest(`${handled}: converting (${version}.${givenName}) to (${group}.${kind.kind}): unknown conversion`);
}

function customMismatch(kind: Kind, version: string, name: string) {
  return version !== kind.apiVersion
    ? badRequest(
        `the API version in the data (${version}) does not match the expected API version (${kind.apiVersion})`,
      )
    : badRequest(`${name} in version "${kind.version}" cannot be handled as a ${kind.kind}: unexpected kind "${name}"`);
}
