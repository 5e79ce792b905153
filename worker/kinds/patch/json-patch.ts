import { ApiError, badRequest, tooLarge } from "../../lib/status.ts";
import { copy, same } from "../paths.ts";
import { isObject, type JsonObject, jsonKind, parse, set } from "./json.ts";

/** As kube-apiserver limits them: operations of a patch, and bytes that all of its copies may make. */
const MAX_OPERATIONS = 10_000;
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** Something in an operation does not fit the document; all of these answer alike. */
class Misfit extends Error {}

/** What may be said of an operation: the fields that are text. */
const TEXTS = ["op", "path", "from"];
const FIELDS = new Set([...TEXTS, "value"]);

/**
 * Reads the body of an `application/json-patch+json` request. Throws 400 for what is not a list of operations; the types
 * of their fields are looked at with the fields that no operation has, so not where those are ignored.
 */
export function readJsonPatch(body: string | undefined, checksFields = true): (document: unknown) => unknown {
  const opening = checksFields ? "error decoding patch: " : "";
  const [list, element] = checksFields
    ? ["[]handlers.jsonPatchOp", "handlers.jsonPatchOp"]
    : ["jsonpatch.Patch", "jsonpatch.Operation"];
  const mismatch = (value: unknown, target: string) =>
    badRequest(`${opening}json: cannot unmarshal ${jsonKind(value)} into Go ${target}`);
  const operations = parse(body, opening) ?? [];
  if (!Array.isArray(operations)) throw mismatch(operations, `value of type ${list}`);
  for (const operation of operations) {
    if (operation === null) continue;
    if (!isObject(operation)) throw mismatch(operation, `value of type ${element}`);
    for (const name of checksFields ? TEXTS : [])
      if (typeof (operation[name] ?? "") !== "string")
        throw mismatch(operation[name], `struct field jsonPatchOp.${name} of type string`);
  }
  if (operations.length > MAX_OPERATIONS)
    throw tooLarge(
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  return (document) => jsonPatch(document, operations as (JsonObject | null)[]);
}

/** What strict decoding finds in a list of operations. `duplicates` are paths of keys that are there twice. */
export function oddities(body: string | undefined, duplicates: readonly string[]): string[] {
  const operations = (parse(body, "") ?? []) as (JsonObject | null)[];
  const unknown = operations.flatMap((operation, index) =>
    Object.keys(operation ?? {}).flatMap((name) => (FIELDS.has(name) ? [] : `unknown field "[${index}].${name}"`)),
  );
  return [...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`), ...unknown].map(
    (problem) => `json patch ${problem}`,
  );
}

/**
 * Returns `document` after all operations; it is not changed. Throws 422 when one does not fit, a failed `test` too.
 * https://www.rfc-editor.org/rfc/rfc6902, with indexes from the end (`-1`) and what else kube-apiserver is lenient about.
 */
function jsonPatch(document: unknown, operations: readonly (JsonObject | null)[]): unknown {
  let root = copy(document);
  const budget = { bytes: MAX_COPIED_BYTES };
  try {
    for (const operation of operations) {
      if (operation === null) throw new Misfit("no operation");
      if (operation.op === "replace" && operation.path === "") root = wholeDocument(operation.value);
      else apply(root, operation, budget);
    }
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    // The details stay with the server, as upstream.
    throw new ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {});
  }
  return root;
}

function wholeDocument(value: unknown): unknown {
  if (isObject(value) || Array.isArray(value)) return copy(value);
  throw new Misfit("a document is an object or a list");
}

type Budget = { bytes: number };
type Operator = (root: unknown, operation: JsonObject, budget: Budget) => void;

const operators: Readonly<Record<string, Operator>> = {
  add: (root, operation) => add(locate(root, pointer(operation, "path")), copy(operation.value ?? null)),
  remove: (root, operation) => remove(locate(root, pointer(operation, "path"))),
  replace: (root, operation) => {
    const place = locate(root, pointer(operation, "path"));
    // A key that is not there is no reason to refuse; a place in a list is.
    read(place);
    put(place, copy(operation.value ?? null));
  },
  move: (root, operation) => {
    const from = locate(root, pointer(operation, "from"));
    const value = existing(from);
    remove(from);
    add(locate(root, pointer(operation, "path")), value);
  },
  copy: (root, operation, budget) => {
    const value = read(locate(root, pointer(operation, "from"))) ?? null;
    budget.bytes -= JSON.stringify(value).length;
    if (budget.bytes < 0) throw new Misfit("copies too much");
    add(locate(root, pointer(operation, "path")), copy(value));
  },
  test: (root, operation) => {
    const path = pointer(operation, "path");
    const found = path.length === 0 ? root : (read(locate(root, path)) ?? null);
    if (!same(found, operation.value ?? null)) throw new Misfit("test failed");
  },
};

function apply(root: unknown, operation: JsonObject, budget: Budget): void {
  const operator =
    typeof operation.op === "string" && Object.hasOwn(operators, operation.op) && operators[operation.op];
  if (!operator) throw new Misfit("unknown operation");
  operator(root, operation, budget);
}

/** The steps of a JSON pointer; what stands before the first slash does not matter. https://www.rfc-editor.org/rfc/rfc6901 */
function pointer(operation: JsonObject, field: "path" | "from"): string[] {
  const text = operation[field];
  if (typeof text !== "string" || (text !== "" && !text.includes("/"))) throw new Misfit(`bad ${field}`);
  return text
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A step of a container that is there. */
type Place = { container: JsonObject | unknown[]; key: string };

function locate(root: unknown, path: readonly string[]): Place {
  const key = path.at(-1);
  if (key === undefined) throw new Misfit("the whole document cannot be replaced");
  let container = root;
  for (const step of path.slice(0, -1)) container = read({ container: asContainer(container), key: step });
  return { container: asContainer(container), key };
}

function asContainer(value: unknown): Place["container"] {
  if (Array.isArray(value) || isObject(value)) return value;
  throw new Misfit("missing path");
}

/** An index into a list of `length`, counted from the end when negative. */
function index(key: string, length: number): number {
  if (!/^[-+]?\d+$/.test(key)) throw new Misfit("bad index");
  const position = Number(key) < 0 ? length + Number(key) : Number(key);
  if (position < 0 || position >= length) throw new Misfit("index out of range");
  return position;
}

/** undefined when absent. */
function read({ container, key }: Place): unknown {
  if (Array.isArray(container)) return container[index(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function existing(place: Place): unknown {
  const value = read(place);
  if (value === undefined) throw new Misfit("missing value");
  return value;
}

function put({ container, key }: Place, value: unknown): void {
  if (Array.isArray(container)) container[index(key, container.length)] = value;
  else set(container, key, value);
}

function add(place: Place, value: unknown): void {
  const { container, key } = place;
  if (!Array.isArray(container)) put(place, value);
  else if (key === "-") container.push(value);
  // One past the end is a place to insert at.
  else container.splice(index(key, container.length + 1), 0, value);
}

function remove(place: Place): void {
  existing(place);
  const { container, key } = place;
  if (Array.isArray(container)) container.splice(index(key, container.length), 1);
  else delete container[key];
}
