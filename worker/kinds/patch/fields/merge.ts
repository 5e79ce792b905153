import type { Schema } from "../../schema.ts";
import { isObject, type JsonObject, own, set } from "../json.ts";
import type { Element } from "./element.ts";
import { elementOf, fieldSchema, itemSchema, shapeOf } from "./shape.ts";

/** `left` with all that `right` sets; an absent value is undefined. */
export function merge(schema: Schema, left: unknown, right: unknown): unknown {
  if (right === undefined) return left;
  if (left === undefined) return right;
  const shape = shapeOf(schema, right);
  if (shape === "map") return mergeFields(schema, left, right);
  if (shape === "list") return mergeItems(schema, left, right);
  return right;
}

function mergeFields(schema: Schema, left: unknown, right: unknown): unknown {
  const before = isObject(left) ? left : {};
  const after = isObject(right) ? right : {};
  if (Object.keys(before).length === 0 && Object.keys(after).length === 0) return right;
  const result: JsonObject = { ...before };
  for (const [name, child] of Object.entries(after)) {
    set(result, name, merge(fieldSchema(schema, name), own(before, name), child));
  }
  return result;
}

type Side = { list: readonly unknown[]; order: Element[]; items: Map<Element, unknown> };

function mergeItems(schema: Schema, left: unknown, right: unknown): unknown {
  const before = Array.isArray(left) ? left : [];
  const after = Array.isArray(right) ? right : [];
  if (before.length === 0 && after.length === 0) return right;
  return interleave(schema, index(schema, before), index(schema, after));
}

function index(schema: Schema, list: readonly unknown[]): Side {
  const order = list.map((of) => elementOf(schema, of));
  const items = new Map<Element, unknown>();
  // Of items that occur twice none can be merged into.
  order.forEach((element, i) => {
    items.set(element, items.has(element) ? undefined : list[i]);
  });
  return { list, order, items };
}

/** What both sides have comes in the order of the right one; what only one has keeps its place among its neighbours. */
function interleave(schema: Schema, left: Side, right: Side): unknown[] {
  const result: unknown[] = [];
  const merged = new Set<Element>();
  const shared = right.order.filter((element) => left.items.has(element));
  let next = 0;
  let l = 0;
  let r = 0;
  const takeRight = (element: Element) => {
    merged.add(element);
    result.push(merge(itemSchema(schema), left.items.get(element), right.items.get(element)));
    r += 1;
    if (shared[next] === element) next += 1;
  };
  while (l < left.order.length || r < right.order.length) {
    const mine = left.order[l];
    const theirs = right.order[r];
    if (mine !== undefined && mine === theirs) {
      takeRight(mine);
      l += 1;
    } else if (mine !== undefined && !right.items.has(mine)) {
      result.push(left.list[l]);
      l += 1;
    } else if (mine !== undefined && theirs !== undefined && shared[next] !== undefined && shared[next] !== mine) {
      l += 1; // it has its turn when the right side comes to it
    } else {
      if (mine !== undefined && merged.has(mine)) l += 1;
      if (theirs !== undefined) takeRight(theirs);
    }
  }
  return result;
}
