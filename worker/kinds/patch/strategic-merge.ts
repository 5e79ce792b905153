import { ApiError, badRequest } from "../../lib/status.ts";
import { copy } from "../paths.ts";
import type { Schema } from "../schema.ts";
import { showMap } from "./fields/go-text.ts";
import { isObject, type JsonObject, own, parseObject, set } from "./json.ts";
import { enforceOrder, type Identity, positions } from "./list-order.ts";

/**
 * Strategic merge patch: a merge patch that knows which lists merge by key.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_FROM = "$deleteFromPrimitiveList/";
const SET_ORDER = "$setElementOrder/";

/** Reads the body of an `application/strategic-merge-patch+json` request. Throws 400 for what is not a JSON object. */
export function readStrategicPatch(schema: Schema, body: string | undefined) {
  const patch = body?.trim() === "null" ? {} : parseObject(body, "");
  return { patch, change: (document: unknown) => strategicMerge(schema, document, patch) };
}

/** Returns `document` with `patch` merged in; neither is changed. Throws the Status of a patch that makes no sense. */
export function strategicMerge(schema: Schema, document: unknown, patch: JsonObject): JsonObject {
  return mergeMap(schema, isObject(document) ? document : {}, patch);
}

/** A patch that makes no sense; kube-apiserver has no code for it and so calls it its own fault. */
const unexplained = (message: string) => new ApiError(500, "", message);
const badOrder = () => badRequest("invalid patch format of setElementOrder list");
const badRetainKeys = () => badRequest("invalid patch format of retainKeys");

function mergeMap(schema: Schema | undefined, original: JsonObject, patch: JsonObject): JsonObject {
  if (DIRECTIVE in patch) return replacement(patch);
  const result = retainKeys(original, patch);
  const done = mergeOrdered(schema, result, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(SET_ORDER) || done.has(key)) continue;
    if (key.startsWith(DELETE_FROM)) deleteFromList(result, key.slice(DELETE_FROM.length), value);
    else mergeField(schema, result, key, value);
  }
  return result;
}

/** A map with `$patch` is not merged: it is what is left, or nothing. */
function replacement(patch: JsonObject): JsonObject {
  const { [DIRECTIVE]: directive, ...rest } = patch;
  if (directive === "replace") return copy(rest);
  if (directive === "delete") return {};
  throw unexplained(`unknown patch type: ${String(directive)} in map: ${showMap(patch)}`);
}

/** A shallow copy of `original`, with only the keys that `$retainKeys` names when it is there. */
function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  if (!(RETAIN_KEYS in patch)) return { ...original };
  const list = patch[RETAIN_KEYS];
  if (!Array.isArray(list)) throw badRetainKeys();
  const kept = new Set<unknown>(list);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith("$")) continue;
    if (!kept.has(key)) throw badRetainKeys();
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

function mergeField(schema: Schema | undefined, result: JsonObject, key: string, value: unknown): void {
  const before = own(result, key);
  if (value === null) delete result[key];
  else if (isObject(before) && isObject(value)) {
    const field = fieldOf(schema, key);
    set(result, key, strategyOf(field) === "replace" ? copy(value) : mergeMap(field, before, value));
  } else if (Array.isArray(before) && Array.isArray(value))
    set(result, key, mergeList(fieldOf(schema, key), before, value));
  else {
    const plain = withoutDirectives(value);
    if (plain !== undefined) set(result, key, plain);
  }
}

/** Merges the lists whose order `$setElementOrder/KEY` gives; returns the keys of those lists. */
function mergeOrdered(schema: Schema | undefined, result: JsonObject, patch: JsonObject): Set<string> {
  const done = new Set<string>();
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(SET_ORDER)) continue;
    const key = directive.slice(SET_ORDER.length);
    const before = own(result, key);
    const change = own(patch, key);
    if (!Array.isArray(order)) throw badOrder();
    if ((before !== undefined && before !== null && !Array.isArray(before)) || isObject(change)) throw badOrder();
    const field = fieldOf(schema, key);
    const id = identity(field);
    if (Array.isArray(change)) checkOrder(change, order, id);
    // A list that is not there, or is to go, has no order.
    if (!Array.isArray(change) && (change === null || !Array.isArray(before))) continue;
    if (Array.isArray(change)) mergeField(schema, result, key, change);
    const merged = (own(result, key) ?? []) as unknown[];
    set(result, key, enforceOrder(merged, order, Array.isArray(before) ? before : [], id));
    done.add(key);
  }
  return done;
}

/** The items of the patch's list must come in the order that the directive gives. */
function checkOrder(items: readonly unknown[], order: readonly unknown[], id: Identity): void {
  let position = 0;
  for (const item of items) {
    if (isObject(item) && DIRECTIVE in item) continue;
    while (position < order.length && id(order[position]) !== id(item)) position += 1;
    if (position === order.length)
      throw unexplained(
        `The order in patch list:\n${JSON.stringify(items)}\n doesn't match ${SET_ORDER.slice(0, -1)} list:\n${JSON.stringify(order)}\n`,
      );
    position += 1;
  }
}

function mergeList(field: Schema | undefined, original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  if (strategyOf(field) !== "merge") return copy(patch) as unknown[];
  const all = [...original, ...patch];
  if (all.some(Array.isArray))
    throw new ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {});
  const id = identity(field);
  if (!all.some(isObject)) return enforceOrder(unique(all, id), patch, original, id);
  const mergeKey = field?.patchMergeKey;
  if (!mergeKey) throw unexplained(`cannot merge lists without merge key for ${field?.name ?? "list"}`);
  const { kept, changes } = takeDirectives(original, patch, mergeKey);
  const places = positions(kept, id);
  for (const change of changes) {
    keyOf(change, mergeKey);
    const place = places.get(id(change));
    const found = place === undefined ? undefined : kept[place];
    if (place !== undefined && isObject(found)) kept[place] = mergeMap(field.items, found, change);
    else places.set(id(change), kept.push(withoutDirectives(change)) - 1);
  }
  return enforceOrder(kept, changes, original, id);
}

/** Carries out `$patch: delete` and `$patch: replace` of a list's items. */
function takeDirectives(original: readonly unknown[], patch: readonly unknown[], mergeKey: string) {
  let replaces = false;
  const gone = new Set<string>();
  const changes: JsonObject[] = [];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest("invalid patch format of primitive list");
    const directive = item[DIRECTIVE];
    if (directive === undefined) changes.push(item);
    else if (directive === "replace") replaces = true;
    else if (directive === "delete") gone.add(JSON.stringify(keyOf(item, mergeKey)));
    else if (directive === "merge") throw unexplained("merging lists cannot yet be specified in the patch");
    else throw unexplained(`unknown patch type: ${String(directive)} in map: ${showMap(item)}`);
  }
  // What replaces a list is taken as it is, also where two of it have one key.
  if (replaces) return { kept: changes, changes: [] };
  const stays = (item: unknown) => !isObject(item) || !gone.has(JSON.stringify(item[mergeKey]));
  return { kept: original.filter(stays), changes };
}

function keyOf(item: JsonObject, mergeKey: string): unknown {
  if (item[mergeKey] === undefined)
    throw unexplained(`map: ${showMap(item)} does not contain declared merge key: ${mergeKey}`);
  return item[mergeKey];
}

function deleteFromList(result: JsonObject, key: string, value: unknown): void {
  const before = own(result, key);
  if (!Array.isArray(before)) return;
  if (!Array.isArray(value)) throw badRequest("invalid patch format of primitive list");
  const gone = new Set(value.map((item) => JSON.stringify(item)));
  result[key] = before.filter((item) => !gone.has(JSON.stringify(item)));
}

/** What a patch says where there is nothing to merge into: no nulls, no directives nor the maps that hold them. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (DIRECTIVE in value) return undefined;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === null || key === RETAIN_KEYS) continue;
    if (key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER)) continue;
    const plain = withoutDirectives(item);
    if (plain !== undefined) set(result, key, plain);
  }
  return result;
}

const fieldOf = (schema: Schema | undefined, key: string): Schema | undefined =>
  schema?.type === "map"
    ? schema.items
    : schema?.fields && Object.hasOwn(schema.fields, key)
      ? schema.fields[key]
      : undefined;

const strategyOf = (field: Schema | undefined): string | undefined =>
  field?.patchStrategy?.split(",").find((strategy) => strategy !== "retainKeys");

const identity = (field: Schema | undefined): Identity => {
  const mergeKey = field?.patchMergeKey;
  return (item) => JSON.stringify(mergeKey !== undefined && isObject(item) ? item[mergeKey] : item) ?? "";
};

const unique = (items: readonly unknown[], id: Identity): unknown[] => {
  const places = positions(items, id);
  return items.filter((item, position) => places.get(id(item)) === position);
};
