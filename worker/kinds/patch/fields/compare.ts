import { same } from "../../paths.ts";
import type { Schema } from "../../schema.ts";
import { isObject, type JsonObject, own } from "../json.ts";
import { type Element, field } from "./element.ts";
import { FieldSet } from "./field-set.ts";
import { elementOf, fieldSchema, itemSchema, type Shape, shapeOf } from "./shape.ts";

/** What is in the second value only, in the first only, and in both but different. */
export type Comparison = { added: FieldSet; removed: FieldSet; modified: FieldSet };

export const isSame = ({ added, removed, modified }: Comparison): boolean =>
  added.isEmpty && removed.isEmpty && modified.isEmpty;

/** What `part` leaves of each of its sets. */
export const within = (comparison: Comparison, part: (fields: FieldSet) => FieldSet): Comparison => ({
  added: part(comparison.added),
  removed: part(comparison.removed),
  modified: part(comparison.modified),
});

/** An absent value is undefined; null is a value, and not the same. */
export function compare(schema: Schema, left: unknown, right: unknown): Comparison {
  const comparison = { added: new FieldSet(), removed: new FieldSet(), modified: new FieldSet() };
  new Walk(comparison).compare(schema, left, right, []);
  return comparison;
}

class Walk {
  readonly #found: Comparison;

  constructor(found: Comparison) {
    this.#found = found;
  }

  compare(schema: Schema, left: unknown, right: unknown, path: readonly Element[]): void {
    if (left === right) return;
    const shapes = new Set<Shape>();
    if (left !== undefined && (left !== null || right === undefined)) shapes.add(shapeOf(schema, left));
    if (right !== undefined && (right !== null || left === undefined)) shapes.add(shapeOf(schema, right));
    // More than one only where the schema lets everything be: then both are told apart.
    let leaf = false;
    for (const shape of shapes) leaf = this.#visit(shape, schema, left, right, path) || leaf;
    if (leaf) return;
    if (left === undefined) this.#found.added.insert(path);
    else if (right === undefined) this.#found.removed.insert(path);
  }

  /** True when the value counts as one. */
  #visit(shape: Shape, schema: Schema, left: unknown, right: unknown, path: readonly Element[]): boolean {
    // Empty and null stay told apart, as they would not be by what is in them.
    if (shape === "leaf" || (isHollow(left, shape) && isHollow(right, shape))) {
      this.#leaf(left, right, path);
      return true;
    }
    if (shape === "list") this.#items(schema, left, right, path);
    else this.#fields(schema, isObject(left) ? left : {}, isObject(right) ? right : {}, path);
    return false;
  }

  #leaf(left: unknown, right: unknown, path: readonly Element[]): void {
    if (left === undefined) this.#found.added.insert(path);
    else if (right === undefined) this.#found.removed.insert(path);
    else if (!same(left, right)) this.#found.modified.insert(path);
  }

  #fields(schema: Schema, left: JsonObject, right: JsonObject, path: readonly Element[]): void {
    for (const name of Object.keys(left))
      this.compare(fieldSchema(schema, name), left[name], own(right, name), [...path, field(name)]);
    for (const name of Object.keys(right))
      if (!Object.hasOwn(left, name))
        this.compare(fieldSchema(schema, name), undefined, right[name], [...path, field(name)]);
  }

  #items(schema: Schema, left: unknown, right: unknown, path: readonly Element[]): void {
    if (same(left, right)) return; // cheaper than to name all items
    const before = byElement(schema, left);
    const after = byElement(schema, right);
    for (const element of new Set([...before.keys(), ...after.keys()])) {
      const [first, ...others] = before.get(element) ?? [];
      const [second, ...more] = after.get(element) ?? [];
      const here = [...path, element];
      // Items that occur twice count as one thing, all of them together.
      if (others.length > 0 && more.length > 0) {
        if (!same([first, ...others], [second, ...more])) this.#found.modified.insert(here);
      } else if (others.length > 0) {
        this.compare(itemSchema(schema), undefined, second, here);
        this.#found.removed.insert(here);
      } else if (more.length > 0) {
        this.compare(itemSchema(schema), first, undefined, here);
        this.#found.added.insert(here);
      } else this.compare(itemSchema(schema), first, second, here);
    }
  }
}

/** Absent, null, empty, or of another shape. */
function isHollow(of: unknown, shape: Shape): boolean {
  if (shape === "list") return !Array.isArray(of) || of.length === 0;
  return !isObject(of) || Object.keys(of).length === 0;
}

function byElement(schema: Schema, list: unknown): Map<Element, unknown[]> {
  const found = new Map<Element, unknown[]>();
  for (const of of Array.isArray(list) ? list : []) {
    const element = elementOf(schema, of);
    const items = found.get(element);
    if (items) items.push(of);
    else found.set(element, [of]);
  }
  return found;
}
