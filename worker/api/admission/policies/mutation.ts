/**
 * What one mutation of a policy makes of an object.
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/#patch-types
 */
import type { Kind } from "../../../kinds/kind.ts";
import { misfits } from "../../../kinds/patch/fields/check.ts";
import { merge } from "../../../kinds/patch/fields/merge.ts";
import { rootOf } from "../../../kinds/patch/fields/root.ts";
import { fieldSchema, itemSchema } from "../../../kinds/patch/fields/shape.ts";
import { isObject } from "../../../kinds/patch/json.ts";
import { readJsonPatch } from "../../../kinds/patch/json-patch.ts";
import type { Schema } from "../../../kinds/schema.ts";
import { jsonValue } from "../../../lib/cel/json-value.ts";
import { madeAs } from "../../../lib/cel/values.ts";
import type { KubeObject } from "../../../lib/object.ts";

/** A mutation that cannot be made. */
export class MutationError extends Error {}

/** The object with what an expression's `Object{…}` sets. Throws MutationError. */
export function applied(kind: Kind, object: KubeObject, made: unknown): KubeObject {
  const mistyped = typeMismatches(made, "Object");
  if (mistyped.length) throw new MutationError(`type mismatch: ${mistyped.join("\n")}`);
  const patch = { ...(jsonValue(made) as object), apiVersion: kind.apiVersion, kind: kind.kind };
  const root = rootOf(kind.schema);
  const [problem, ...more] = misfits(root, patch);
  if (problem !== undefined) {
    const text = more.length ? ["errors:", problem, ...more].join("\n  ") : problem;
    throw new MutationError(`error applying patch: failed to convert patch object to typed object: ${text}`);
  }
  const whole = atomics(root, patch, "");
  if (whole.length)
    throw new MutationError(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${whole.join(", ")}`,
    );
  return merge(root, object, patch) as KubeObject;
}

/** `Object.spec.…` must stand where its name says. */
function typeMismatches(made: unknown, path: string): string[] {
  if (Array.isArray(made)) return made.flatMap((item) => typeMismatches(item, path));
  if (made instanceof Map) return [...made.values()].flatMap((item) => typeMismatches(item, path));
  if (!isObject(made)) return [];
  const name = madeAs(made);
  if (name === undefined) return Object.values(made).flatMap((item) => typeMismatches(item, path));
  const within = Object.entries(made).flatMap(([field, item]) => typeMismatches(item, `${path}.${field}`));
  if (name === path) return within;
  const [is, wanted] = [name, path].map((text) => JSON.stringify(text));
  return [
    `unexpected type name ${is}, expected ${wanted}, which matches field name path from root Object type`,
    ...within,
  ];
}

/** Where a patch would replace as a whole what its author may have meant to add to. */
function atomics(schema: Schema, of: unknown, path: string): string[] {
  if (Array.isArray(of) && schema.type === "list") {
    const isWhole = schema.listType !== "map" && schema.listType !== "set";
    const within = of.flatMap((item, index) => atomics(itemSchema(schema), item, `${path}[${index}]`));
    return isWhole ? [path, ...within] : within;
  }
  if (!isObject(of) || (schema.type !== "object" && schema.type !== "map")) return [];
  const within = Object.entries(of).flatMap(([name, value]) =>
    atomics(fieldSchema(schema, name), value, `${path}.${name}`),
  );
  return schema.atomic ? [path, ...within] : within;
}

type JsonOperation = { op?: string; path?: string; from?: string; value?: unknown };

/** The object after a list of `JSONPatch{…}`; as it was where a test among them fails. Throws MutationError. */
export function patched(object: KubeObject, operations: unknown): KubeObject {
  let result: unknown = object;
  for (const operation of operations as unknown[]) {
    const { op = "", path = "", from, value } = operation as JsonOperation;
    const mistyped = typeNameOfPatch(value);
    if (mistyped.length) throw new MutationError(`type mismatch: ${mistyped.join("\n")}`);
    const written = { op, path, ...(from && { from }), ...(value !== undefined && { value: jsonValue(value) }) };
    try {
      result = readJsonPatch(JSON.stringify([written]), false)(result);
    } catch {
      if (op === "test") return object;
      throw new MutationError(`JSON Patch: ${misfit(written, result)}`);
    }
  }
  return result as KubeObject;
}

/** Objects in the value of a patch are named from their own root. */
const typeNameOfPatch = (value: unknown): string[] => {
  const name = isObject(value) ? madeAs(value) : undefined;
  return name === undefined ? [] : typeMismatches(value, name);
};

const OPERATIONS = ["add", "copy", "move", "remove", "replace", "test"];

/** Why an operation does not apply, as kube-apiserver's library words it. */
function misfit({ op, path, from }: { op: string; path: string; from?: string }, document: unknown): string {
  if (!OPERATIONS.includes(op)) return `Unexpected kind: ${op}`;
  const at = op === "copy" || op === "move" ? (from ?? "") : path;
  const steps = at.split("/").slice(1);
  const parent = steps
    .slice(0, -1)
    .reduce<unknown>((value, step) => (value as Record<string, unknown>)?.[step], document);
  const step = steps.at(-1);
  const opening = op === "remove" ? `error in remove for path: '${at}': ` : `${op} operation does not apply: `;
  if (Array.isArray(parent) && op === "remove")
    return `${opening}Unable to access invalid index: ${step}: invalid index referenced`;
  if (isObject(parent) && op === "remove") return `${opening}Unable to remove nonexistent key: ${step}: missing value`;
  if (isObject(parent) && op === "replace") return `${opening}doc is missing key: ${at}: missing value`;
  return `${op} operation does not apply: doc is missing path: ${op === "replace" ? at : JSON.stringify(at)}: missing value`;
}
