/** Reading and filling by dotted paths: `spec.template.spec.containers[].imagePullPolicy`. */

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path without lists; undefined where a step is missing. */
export function read(object: unknown, path: string): unknown {
  let value = object;
  for (const step of path.split(".")) {
    if (!isObject(value)) return undefined;
    value = value[step];
  }
  return value;
}

/** Gives `path` the value where it is absent and its owner is there; a step `name[]` goes into every item. */
export function fill(object: unknown, path: string, value: unknown): void {
  const [step = "", ...rest] = path.split(".");
  if (!isObject(object)) return;
  const name = step.endsWith("[]") ? step.slice(0, -2) : step;
  if (rest.length === 0) {
    if (object[name] === undefined || object[name] === null) object[name] = copy(value);
    return;
  }
  const next = object[name];
  if (step.endsWith("[]")) {
    for (const item of Array.isArray(next) ? next : []) fill(item, rest.join("."), value);
  } else fill(next, rest.join("."), value);
}

/** A value that shares nothing; defaults are mostly scalars and `{}`, for which a structured clone would be slow. */
export function copy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const _ in value) return structuredClone(value);
  return (Array.isArray(value) ? [] : {}) as T;
}

/** Deep equality of JSON values; an absent field equals an undefined one. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  for (const key of Object.keys(a)) if (!same(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}
