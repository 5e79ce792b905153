/**
 * Types of expressions, and which may stand for which.
 * https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking
 */
export type TypeKind =
  | "dyn"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration"
  | "list"
  | "map"
  | "struct"
  | "opaque"
  | "param"
  | "type";

/** `name` tells structs, opaque types and type parameters apart; for others it is the kind's own. */
export type Type = { readonly kind: TypeKind; readonly name: string; readonly params: readonly Type[] };

const simple = (kind: TypeKind, name: string = kind): Type => ({ kind, name, params: [] });

export const DYN = simple("dyn");
export const ERROR = simple("error", "!error!");
export const NULL = simple("null");
export const BOOL = simple("bool");
export const INT = simple("int");
export const UINT = simple("uint");
export const DOUBLE = simple("double");
export const STRING = simple("string");
export const BYTES = simple("bytes");
export const TIMESTAMP = simple("timestamp");
export const DURATION = simple("duration");
export const listOf = (item: Type): Type => ({ kind: "list", name: "list", params: [item] });
export const mapOf = (key: Type, value: Type): Type => ({ kind: "map", name: "map", params: [key, value] });
export const structType = (name: string): Type => simple("struct", name);
const opaqueType = (name: string, ...params: Type[]): Type => ({ kind: "opaque", name, params });
export const OPTIONAL = "optional_type";
export const optionalOf = (value: Type): Type => opaqueType(OPTIONAL, value);
export const typeOfType = (value?: Type): Type => ({ kind: "type", name: "type", params: value ? [value] : [] });
export const param = (name: string): Type => simple("param", name);

export const isDyn = ({ kind }: Type): boolean => kind === "dyn";
export const isDynOrError = ({ kind }: Type): boolean => kind === "dyn" || kind === "error";
export const isOptional = ({ kind, name }: Type): boolean => kind === "opaque" && name === OPTIONAL;

/** What is inside of an optional type; else the type itself. */
export const unwrapOptional = (type: Type): Type => (isOptional(type) ? (type.params[0] as Type) : type);

/** As messages name it: `list(int)`, `map(string, dyn)`. */
export function formatType({ name, params }: Type): string {
  return params.length ? `${name}(${params.map(formatType).join(", ")})` : name;
}

export function sameType(a: Type, b: Type): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.params.length === b.params.length &&
      a.params.every((type, index) => sameType(type, b.params[index] as Type)))
  );
}

/** As `sameType`, but `dyn` equals everything. */
export function equivalentTypes(a: Type, b: Type): boolean {
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    a.params.length === b.params.length &&
    a.params.every((type, index) => equivalentTypes(type, b.params[index] as Type))
  );
}

/** What type parameters stand for, by their names. Changed in place by a successful assignment only. */
export type Substitutions = Map<string, Type>;

export function substitute(known: Substitutions, type: Type, isFinal: boolean): Type {
  if (type.kind === "param") {
    const found = known.get(type.name);
    if (found) return substitute(known, found, isFinal);
    return isFinal ? DYN : type;
  }
  if (!type.params.length) return type;
  return { ...type, params: type.params.map((inner) => substitute(known, inner, isFinal)) };
}

/** Whether values of each type may stand where the wanted ones are; what was learned of parameters, or undefined. */
export function assignable(
  known: Substitutions,
  wanted: readonly Type[],
  given: readonly Type[],
): Substitutions | undefined {
  const learned = new Map(known);
  return allAssignable(learned, wanted, given) ? learned : undefined;
}

const allAssignable = (known: Substitutions, wanted: readonly Type[], given: readonly Type[]): boolean =>
  wanted.length === given.length && wanted.every((type, index) => isAssignable(known, type, given[index] as Type));

function isAssignable(known: Substitutions, a: Type, b: Type): boolean {
  if (b.kind === "param") {
    const { valid, hasOne } = standsFor(known, a, b);
    if (valid) return true;
    if (hasOne) return false;
  }
  if (a.kind === "param") return standsFor(known, b, a).valid;
  if (isDynOrError(a) || isDynOrError(b)) return true;
  if (a.kind === "null") return isNullable(b);
  if (b.kind === "null") return isNullable(a);
  switch (a.kind) {
    case "type":
      return b.kind === "type";
    case "opaque":
    case "list":
    case "map":
      return a.kind === b.kind && a.name === b.name && allAssignable(known, a.params, b.params);
    default:
      return a.kind === b.kind && a.name === b.name;
  }
}

const isNullable = ({ kind }: Type): boolean =>
  kind === "opaque" || kind === "struct" || kind === "duration" || kind === "timestamp" || kind === "null";

function standsFor(known: Substitutions, type: Type, parameter: Type): { valid: boolean; hasOne: boolean } {
  if (sameType(type, parameter)) return { valid: true, hasOne: true };
  const before = known.get(parameter.name);
  if (before) {
    if (sameType(type, before)) return { valid: true, hasOne: true };
    if (!isAssignable(known, type, before)) return { valid: false, hasOne: true };
    const general = mostGeneral(type, before);
    if (!mentions(known, parameter, general)) known.set(parameter.name, general);
    return { valid: true, hasOne: true };
  }
  if (mentions(known, parameter, type)) return { valid: false, hasOne: false };
  known.set(parameter.name, type);
  return { valid: true, hasOne: false };
}

function mentions(known: Substitutions, parameter: Type, within: Type): boolean {
  if (sameType(parameter, within)) return true;
  if (within.kind === "param") {
    const found = known.get(within.name);
    return found !== undefined && mentions(known, parameter, found);
  }
  return within.params.some((type) => mentions(known, parameter, type));
}

export const mostGeneral = (a: Type, b: Type): Type => (isNoMoreSpecific(a, b) ? a : b);

function isNoMoreSpecific(a: Type, b: Type): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param" || a.kind !== b.kind) return false;
  if (a.kind === "type") return true;
  if (a.kind === "opaque" && (a.name !== b.name || a.params.length !== b.params.length)) return false;
  if (a.params.length) return a.params.every((type, index) => isNoMoreSpecific(type, b.params[index] as Type));
  return sameType(a, b);
}

/** Types that expressions can name. */
export const TYPE_NAMES: ReadonlyMap<string, Type> = new Map([
  ...[BOOL, INT, UINT, DOUBLE, STRING, BYTES].map((type): [string, Type] => [type.name, type]),
  ["null_type", NULL],
  ["list", listOf(DYN)],
  ["map", mapOf(DYN, DYN)],
  ["type", typeOfType()],
  ["optional_type", optionalOf(DYN)],
  ["google.protobuf.Timestamp", TIMESTAMP],
  ["google.protobuf.Duration", DURATION],
  ...["net.IP", "net.CIDR"].map((name): [string, Type] => [name, opaqueType(name)]),
  ...["Quantity", "URL", "Semver", "NamedFormat"].map((name): [string, Type] => [
    `kubernetes.${name}`,
    structType(`kubernetes.${name}`),
  ]),
]);

const NAMED: ReadonlyMap<string, Type> = new Map(
  [DYN, NULL, BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION].map((type) => [type.name, type]),
);

/** Reads `list(T)`, `map(string, int)`, `optional(V)`; single capitals are parameters, names with dots structs. */
export function parseType(text: string): Type {
  const [, name = "", inner] = /^([\w.]+)(?:\((.*)\))?$/.exec(text.trim()) ?? [];
  const params = inner === undefined ? [] : splitTypes(inner).map(parseType);
  const [first, second] = params;
  if (name === "list") return listOf(first as Type);
  if (name === "map") return mapOf(first as Type, second as Type);
  if (name === "optional") return optionalOf(first as Type);
  if (name === "type") return typeOfType(first);
  if (/^[A-Z]$/.test(name)) return param(name);
  if (name.startsWith("net.")) return opaqueType(name);
  return NAMED.get(name) ?? structType(name);
}

export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (at === text.length || (char === "," && depth === 0)) {
      const part = text.slice(start, at).trim();
      if (part) parts.push(part);
      start = at + 1;
    }
  }
  return parts;
}
