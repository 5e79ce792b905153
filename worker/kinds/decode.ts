import { formatQuantity, parseQuantity, QuantityError } from "../lib/quantity.ts";
import { badRequest } from "../lib/status.ts";
import type { Kind } from "./kind.ts";
import { normalBase64, normalMicroTime, normalTime, ScalarError } from "./scalars.ts";
import type { Schema } from "./schema.ts";
import { goTypeOf, schemaOf } from "./tables.ts";

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** A body that its Go type cannot hold, in the decoder's words. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/**
 * Brings a parsed body to the form its Go type would give it, in place: unknown fields go, `null` and empty optional
 * fields are absent, quantities, times and base64 take their normal form. `duplicates` are paths from `duplicateKeys`.
 * Parts whose schema has no name (custom resources) are only pruned; what is wrong there, validation tells.
 * Returns the texts for `Warning` headers; throws DecodeError for a wrong type, and for unknown or duplicate fields
 * when `Strict`.
 */
export function decode(
  schema: Schema,
  value: unknown,
  mode: FieldValidation,
  duplicates: readonly string[] = [],
): string[] {
  const decoder = new Decoder(mode === "Ignore" ? undefined : new Set(duplicates));
  decoder.value(schema, value);
  if (!schema.name) decoder.noteOtherDuplicates();
  if (decoder.wrongType) throw new DecodeError(decoder.wrongType);
  const problems = decoder.problems();
  if (mode === "Strict" && problems.length) throw new DecodeError(`strict decoding error: ${problems.join(", ")}`);
  return mode === "Warn" ? problems : [];
}

/** `decode` for a whole object; a DecodeError becomes the 400 that names the body's kind and the one expected. */
export function decodeObject(
  kind: Kind,
  body: Record<string, unknown>,
  mode: FieldValidation,
  duplicates: readonly string[] = [],
): string[] {
  const { kind: named, apiVersion } = body;
  try {
    return decode(kind.schema, body, mode, duplicates);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const version = typeof apiVersion === "string" ? apiVersion.split("/").at(-1) : kind.version;
    const name = typeof named === "string" ? named : kind.kind;
    throw badRequest(`${name} in version "${version}" cannot be handled as a ${kind.kind}: ${error.message}`);
  }
}

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isEmpty = (value: unknown) =>
  !value || (typeof value === "object" && (Array.isArray(value) ? value : Object.keys(value)).length === 0);
/** What JSON calls the value. */
const wordFor = (value: unknown) =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

/** Between the name of JSONSchemaProps and what else a field may hold. */
const OR = "PropsOr";

/** Levels of nesting in one body; recursion must not outgrow the stack. */
const MAX_DEPTH = 1000;

const fieldOf = ({ fields }: Schema, name: string) =>
  fields && Object.hasOwn(fields, name) ? fields[name] : undefined;

class Decoder {
  /** The first value of a wrong type; decoding goes on after it. */
  wrongType: string | undefined;
  readonly #decoding: string[] = [];
  readonly #pruned: string[] = [];
  readonly #duplicates: Set<string> | undefined;
  /** Field names, list indexes and map keys down to the current value. */
  readonly #path: (string | number)[] = [];
  /** What errors name: the innermost struct, and field names without indexes and map keys. */
  #struct = "";
  readonly #fieldNames: string[] = [];

  constructor(duplicates: Set<string> | undefined) {
    this.#duplicates = duplicates;
  }

  /** Unknown and duplicate fields in the order of the body; those of custom resources sorted, after the others. */
  problems(): string[] {
    return [...new Set([...this.#decoding, ...this.#pruned.sort()])];
  }

  /** Of a custom resource also what is repeated in parts that its schema says nothing about. */
  noteOtherDuplicates(): void {
    for (const path of this.#duplicates ?? []) this.#decoding.push(`duplicate field ${JSON.stringify(path)}`);
  }

  /** The value in its normal form; undefined when it is to be left out. */
  value(schema: Schema, value: unknown): unknown {
    if (value === null || value === undefined) return undefined;
    if (this.#path.length > MAX_DEPTH) throw new DecodeError("json: exceeded max depth");
    switch (schema.type) {
      case "any":
        return schema.name?.includes(OR) ? this.#schemaOr(schema.name, value) : value;
      case "object":
        if (!isObject(value)) return this.#wrong(schema, value);
        if (schema.name) this.#goStruct(schema, value);
        else this.#structural(schema, value);
        return value;
      case "map":
        if (!isObject(value)) return this.#wrong(schema, value);
        for (const [key, item] of Object.entries(value)) value[key] = this.#item(schema, key, item);
        return value;
      case "list":
        if (!Array.isArray(value)) return this.#wrong(schema, value);
        for (let index = 0; index < value.length; index++) value[index] = this.#item(schema, index, value[index]);
        return value;
      case "string":
        return this.#string(schema, value);
      case "boolean":
        return typeof value === "boolean" ? value : this.#wrong(schema, value);
      case "number":
        return typeof value === "number" ? value : this.#wrong(schema, value);
      case "integer":
        return this.#integer(schema, value);
    }
  }

  #goStruct(schema: Schema, object: Fields): void {
    const outer = this.#struct;
    this.#struct = schema.name?.split(".").at(-1) ?? "";
    for (const name of Object.keys(object)) {
      const field = fieldOf(schema, name);
      this.#path.push(name);
      if (!field) {
        this.#unknown(this.#decoding);
        delete object[name];
      } else {
        this.#noteDuplicate();
        this.#fieldNames.push(name);
        const value = this.value(field, object[name]);
        this.#fieldNames.pop();
        if (value === undefined || (isEmpty(value) && leavesOutEmpty(field))) delete object[name];
        else object[name] = value;
      }
      this.#path.pop();
    }
    this.#struct = outer;
  }

  /** A part of a custom resource: unknown fields go, everything else stays for validation. */
  #structural(schema: Schema, object: Fields): void {
    for (const name of Object.keys(object)) {
      const field = fieldOf(schema, name) ?? schema.items;
      this.#path.push(name);
      if (field) {
        this.#noteDuplicate();
        if (field.name) this.#replace(object, name, this.value(field, object[name]));
        else this.#prune(field, object[name]);
      } else if (!schema.preserveUnknown) {
        this.#unknown(this.#pruned);
        delete object[name];
      }
      this.#path.pop();
    }
  }

  #replace(object: Fields, name: string, value: unknown): void {
    if (value === undefined) delete object[name];
    else object[name] = value;
  }

  #prune(schema: Schema, value: unknown): void {
    if (schema.type === "object" && isObject(value)) return this.#structural(schema, value);
    const { items } = schema;
    if (!items || typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      this.#path.push(Array.isArray(value) ? Number(key) : key);
      this.#noteDuplicate();
      this.#prune(items, item);
      this.#path.pop();
    }
  }

  /** A field of JSONSchemaProps that takes a schema, or else a boolean or a list. */
  #schemaOr(name: string, value: unknown): unknown {
    const [schemas, other] = name.split(OR);
    const schema = schemaOf(`${schemas}Props`);
    if (isObject(value)) return this.value(schema, value);
    if (other === "Bool") {
      if (typeof value !== "boolean") this.wrongType ??= "boolean or JSON schema expected";
      return value;
    }
    if (!Array.isArray(value)) return undefined;
    return this.value({ type: "list", items: other === "Array" ? schema : { type: "string" } }, value);
  }

  #item(schema: Schema, key: string | number, item: unknown): unknown {
    const { items } = schema;
    if (!items) return item;
    this.#path.push(key);
    this.#noteDuplicate();
    const value = this.value(items, item) ?? zeroOf(items);
    this.#path.pop();
    return value;
  }

  #string(schema: Schema, value: unknown): unknown {
    const { format } = schema;
    if (format === "int-or-string" && typeof value !== "string") return this.#integer(schema, value);
    if (format === "quantity") return normalQuantity(typeof value === "number" ? String(value) : value);
    if (typeof value !== "string") return this.#wrong(schema, value);
    const normal = format && normalForms[format];
    if (!normal) return value;
    try {
      return normal(value);
    } catch (error) {
      throw error instanceof ScalarError ? new DecodeError(error.message) : error;
    }
  }

  #integer(schema: Schema, value: unknown): unknown {
    if (typeof value !== "number") return this.#wrong(schema, value);
    const limit = schema.format === "int64" ? 2 ** 63 : 2 ** 31;
    if (Number.isInteger(value) && value < limit && value >= -limit) return value;
    return this.#wrong(schema, value, `number ${value}`);
  }

  /** Custom resources fail in validation instead, with all their problems at once. */
  #wrong(schema: Schema, value: unknown, word = wordFor(value)): undefined {
    const target = this.#struct ? `struct field ${this.#struct}.${this.#fieldNames.join(".")}` : "value";
    this.wrongType ??= `json: cannot unmarshal ${word} into Go ${target} of type ${goTypeOf(schema)}`;
    return undefined;
  }

  #unknown(into: string[]): void {
    if (this.#duplicates) into.push(`unknown field ${JSON.stringify(this.#where())}`);
  }

  #noteDuplicate(): void {
    if (!this.#duplicates?.size) return;
    const where = this.#where();
    if (this.#duplicates.delete(where)) this.#decoding.push(`duplicate field ${JSON.stringify(where)}`);
  }

  #where(): string {
    return this.#path.reduce<string>((path, step) => {
      if (typeof step === "number") return `${path}[${step}]`;
      return path ? `${path}.${step}` : step;
    }, "");
  }
}

const normalForms: Readonly<Record<string, (text: string) => string>> = {
  byte: normalBase64,
  "date-time": normalTime,
  "micro-time": normalMicroTime,
};

/** Most quantities are canonical already: up to three digits, no fraction. */
const canonical = /^[1-9][0-9]{0,2}(|m|k|M|G|Ki|Mi|Gi)$/;

function normalQuantity(value: unknown): string {
  const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
  if (canonical.test(text)) return text;
  try {
    return formatQuantity(parseQuantity(text));
  } catch (error) {
    throw error instanceof QuantityError ? new DecodeError(error.message) : error;
  }
}

/** Fields that Go writes only when they hold something; an IntOrString is a struct, and those always count as set. */
export const leavesOutEmpty = ({ type, pointer, zero, format }: Schema) =>
  !pointer && zero === undefined && type !== "object" && type !== "any" && format !== "int-or-string";

/** What `null` in a list or map becomes. */
function zeroOf(schema: Schema): unknown {
  if (schema.format === "quantity") return "0";
  if (schema.format === "int-or-string") return 0;
  if (schema.format === "date-time" || schema.format === "micro-time") return null;
  const zeros: Partial<Record<Schema["type"], unknown>> = {
    string: "",
    integer: 0,
    number: 0,
    boolean: false,
    object: {},
  };
  return structuredClone(zeros[schema.type] ?? null);
}
