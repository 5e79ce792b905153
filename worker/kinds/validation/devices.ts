import { byteLength } from "../../lib/bytes.ts";
import { dnsLabelProblems, dnsSubdomainProblems, patternProblem } from "../../lib/names.ts";
import { duplicate, invalidValue, required, tooLong, tooMany } from "../../lib/status.ts";
import type { ResourceV1DeviceClass, ResourceV1DeviceSelector, RuntimeRawExtension } from "../generated/types.ts";
import { validateDeviceExpression } from "./device-expressions.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { validateDriverName } from "./volume-disks.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/ */
const MAX_SELECTORS = 32;
export const MAX_CONFIGS = 32;
const MAX_EXPRESSION_BYTES = 10 * 1024;
const MAX_DATA_BYTES = 10 * 1024;
const MAX_POOL_BYTES = 253;
const MAX_IDENTIFIER_BYTES = 32;

const IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*";
const isIdentifier = new RegExp(`^${IDENTIFIER}$`);
const NOT_AN_IDENTIFIER = patternProblem(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  IDENTIFIER,
  "my_name",
  "MY_NAME",
  "MyName",
);

type Check<T> = (item: T, field: string) => Problems;

/** Nothing is said of the items of a list that is too long. */
export function* validateList<T>(
  list: readonly T[] | undefined,
  max: number,
  field: string,
  check: Check<T>,
): Problems {
  const items = list ?? [];
  if (items.length > max) yield tooMany(field, items.length, max);
  else for (const [index, item] of items.entries()) yield* check(item, `${field}[${index}]`);
}

/** Repeated items come last. */
export function* validateSet<T>(
  list: readonly T[] | undefined,
  max: number,
  field: string,
  { check, key }: { check: Check<T>; key(item: T): unknown },
): Problems {
  yield* validateList(list, max, field, check);
  if ((list?.length ?? 0) > max) return;
  const seen = new Set<string>();
  for (const [index, item] of (list ?? []).entries()) {
    const shown = JSON.stringify(key(item));
    if (seen.has(shown)) yield duplicate(`${field}[${index}]`, key(item));
    seen.add(shown);
  }
}

export function* validateDeviceName(name: string, field: string): Problems {
  yield* invalidFor(field, name, dnsLabelProblems(name));
}

export function* validatePoolName(name: string, field: string): Problems {
  if (!name) {
    yield required(field);
    return;
  }
  if (byteLength(name) > MAX_POOL_BYTES) yield tooLong(field, MAX_POOL_BYTES);
  for (const part of name.split("/")) yield* invalidFor(field, part, dnsSubdomainProblems(part));
}

function* validateIdentifier(name: string, field: string): Problems {
  if (byteLength(name) > MAX_IDENTIFIER_BYTES) yield tooLong(field, MAX_IDENTIFIER_BYTES);
  if (!isIdentifier.test(name)) yield invalidValue(field, name, NOT_AN_IDENTIFIER);
}

/** Of an attribute or capacity: `name` or `domain/name`. */
export function* validateQualifiedName(text: string, field: string): Problems {
  const [domain = "", name, ...rest] = text.split("/");
  if (name === undefined) yield* validateIdentifier(domain, field);
  else if (!rest.length) {
    yield* domain ? validateDriverName(domain, field) : [invalidValue(field, "", "the domain must not be empty")];
    yield* name ? validateIdentifier(name, field) : [invalidValue(field, "", "the name must not be empty")];
  }
}

export function* validateFullName(text: string, field: string): Problems {
  yield* validateQualifiedName(text, field);
  if (!text.includes("/"))
    yield invalidValue(field, text, "a fully qualified name must be a domain and a name separated by a slash");
}

export function* validateSelectors(
  selectors: readonly ResourceV1DeviceSelector[] | undefined,
  field: string,
): Problems {
  yield* validateList(selectors, MAX_SELECTORS, field, function* ({ cel }, at) {
    if (!cel) yield required(`${at}.cel`);
    else if (byteLength(cel.expression ?? "") > MAX_EXPRESSION_BYTES)
      yield tooLong(`${at}.cel.expression`, MAX_EXPRESSION_BYTES);
    else yield* validateDeviceExpression(cel.expression ?? "", `${at}.cel.expression`);
  });
}

export function* validateData(data: RuntimeRawExtension | null | undefined, field: string): Problems {
  if (data === undefined || data === null) yield required(field);
  else if (byteLength(JSON.stringify(data)) > MAX_DATA_BYTES) yield tooLong(field, MAX_DATA_BYTES);
  else if (typeof data !== "object" || Array.isArray(data))
    yield invalidValue(field, "<value omitted>", "must be a valid JSON object");
}

type Configuration = { opaque?: { driver: string; parameters: RuntimeRawExtension } };

export function* validateConfiguration({ opaque }: Configuration, field: string): Problems {
  if (!opaque) {
    yield required(`${field}.opaque`);
    return;
  }
  yield* validateDriverName(opaque.driver, `${field}.opaque.driver`);
  yield* validateData(opaque.parameters, `${field}.opaque.parameters`);
}

export function* validateDeviceClass({ spec }: ResourceV1DeviceClass): Problems {
  yield* validateSelectors(spec?.selectors, "spec.selectors");
  yield* validateList(spec?.config, MAX_CONFIGS, "spec.config", validateConfiguration);
}
