import { isObject, type JsonObject } from "../json.ts";
import { compareElements, type Element, parseElement } from "./element.ts";

type Node = { member: boolean; children: FieldSet | undefined };

/**
 * A set of field paths. A path may be a member, have members below it, or both. Operations return new sets.
 *
 * One read from `managedFields` is taken apart level by level as it is looked at, and what was not is written back as
 * it was: most writes touch few of the fields that an object's managers own.
 */
export class FieldSet {
  #read: Map<Element, Node> | undefined;
  readonly #written: JsonObject | undefined;

  constructor(written?: JsonObject) {
    this.#written = written;
  }

  static of(...paths: readonly (readonly Element[])[]): FieldSet {
    const set = new FieldSet();
    for (const path of paths) set.insert(path);
    return set;
  }

  get #nodes(): Map<Element, Node> {
    if (this.#read) return this.#read;
    this.#read = new Map();
    for (const [key, below] of Object.entries(this.#written ?? {})) {
      const element = key === "." ? undefined : parseElement(key);
      if (element === undefined || !isObject(below)) continue;
      const keys = Object.keys(below);
      const member = keys.length === 0 || "." in below;
      const children = keys.some((name) => name !== ".") ? new FieldSet(below) : undefined;
      this.#read.set(element, { member, children });
    }
    return this.#read;
  }

  /** For building only. The empty path, the whole object, belongs to no one. */
  insert(path: readonly Element[]): void {
    let set: FieldSet = this;
    path.forEach((element, depth) => {
      const node = set.#nodes.get(element) ?? { member: false, children: undefined };
      set.#nodes.set(element, node);
      if (depth === path.length - 1) node.member = true;
      else {
        node.children ??= new FieldSet();
        set = node.children;
      }
    });
  }

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  /** The steps from here, sorted. */
  elements(): Element[] {
    return [...this.#nodes.keys()].sort(compareElements);
  }

  hasMember(element: Element): boolean {
    return this.#nodes.get(element)?.member === true;
  }

  /** What is in the set below a step. */
  below(element: Element): FieldSet | undefined {
    return this.#nodes.get(element)?.children;
  }

  has(path: readonly Element[]): boolean {
    const parent = path.slice(0, -1).reduce<FieldSet | undefined>((set, element) => set?.below(element), this);
    return parent?.hasMember(path.at(-1) ?? "") === true;
  }

  /** All paths, members of a level before those below them. */
  *paths(prefix: readonly Element[] = []): Generator<Element[]> {
    const elements = this.elements();
    for (const element of elements) if (this.hasMember(element)) yield [...prefix, element];
    for (const element of elements) yield* this.below(element)?.paths([...prefix, element]) ?? [];
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    const result = new FieldSet();
    for (const element of new Set([...this.#nodes.keys(), ...other.#nodes.keys()])) {
      const mine = this.below(element);
      const theirs = other.below(element);
      const children = mine && theirs ? mine.union(theirs) : (mine ?? theirs);
      result.#add(element, this.hasMember(element) || other.hasMember(element), children);
    }
    return result;
  }

  intersection(other: FieldSet): FieldSet {
    const result = new FieldSet();
    for (const element of this.#nodes.keys()) {
      const theirs = other.below(element);
      const children = theirs && this.below(element)?.intersection(theirs);
      result.#add(element, this.hasMember(element) && other.hasMember(element), children);
    }
    return result;
  }

  difference(other: FieldSet): FieldSet {
    return this.#without(other, false);
  }

  /** Like `difference`, and takes away all that lies below a member of `other`. */
  recursiveDifference(other: FieldSet): FieldSet {
    return this.#without(other, true);
  }

  #without(other: FieldSet, recursive: boolean): FieldSet {
    if (other.isEmpty || this.isEmpty) return this;
    const result = new FieldSet();
    for (const [element, { member, children }] of this.#nodes) {
      const gone = other.hasMember(element);
      const theirs = other.below(element);
      let rest = recursive && gone ? undefined : children;
      if (rest && theirs) rest = rest.#without(theirs, recursive);
      result.#add(element, member && !gone, rest);
    }
    return result;
  }

  /** A copy in which each step for which `also` holds is a member. `also` is asked for all steps, with what leads there. */
  withMembers(also: (element: Element, path: readonly Element[]) => boolean, path: readonly Element[] = []): FieldSet {
    const result = new FieldSet();
    for (const [element, { member, children }] of this.#nodes) {
      const below = children?.withMembers(also, [...path, element]);
      result.#add(element, member || also(element, path), below);
    }
    return result;
  }

  equals(other: FieldSet): boolean {
    if (this.#nodes.size !== other.#nodes.size) return false;
    for (const [element, { member, children }] of this.#nodes) {
      const theirs = other.#nodes.get(element);
      if (!theirs || theirs.member !== member) return false;
      if (children ? !theirs.children?.equals(children) : theirs.children !== undefined) return false;
    }
    return true;
  }

  #add(element: Element, member: boolean, children: FieldSet | undefined): void {
    const kept = children?.isEmpty ? undefined : children;
    if (member || kept) this.#nodes.set(element, { member, children: kept });
  }

  /** As `managedFields` hold it: a member with members below says so by `.`. */
  toFieldsV1(): JsonObject {
    if (!this.#read && this.#written) return this.#written;
    const result: JsonObject = {};
    for (const element of this.elements()) {
      const { ".": _, ...below } = this.below(element)?.toFieldsV1() ?? {};
      result[element] = this.below(element) && this.hasMember(element) ? { ".": {}, ...below } : below;
    }
    return result;
  }
}
