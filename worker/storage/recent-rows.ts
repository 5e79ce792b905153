/**
 * Rows as they are in the database, kept in memory: the objects lately asked for by key, and short lists. A write asks
 * for the same few again and again: the object itself, its namespace, the quotas and limits of it.
 */
import type { Key } from "../lib/object.ts";
import type { Scope, StoredObject } from "./store.ts";

/** An object with its index terms. */
export type Row = { object: StoredObject; refs: readonly string[] };

/** Kept at most, in characters of the objects' JSON; and what an entry counts beside that. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
const ENTRY_CHARACTERS = 200;
/** A list that is kept has no more objects than this. */
const MAX_LIST = 16;
const MAX_LISTS = 1000;

const textOf = ({ resource, namespace, name }: Key) => `${resource}/${namespace}/${name}`;
const sizeOf = (row: Row | undefined) => ENTRY_CHARACTERS + (row?.object.json.length ?? 0);

export class RecentRows {
  /** By key, the oldest entry first; null where there is known to be none. */
  readonly #rows = new Map<string, Row | null>();
  #characters = 0;
  /** By resource, then by namespace; "*" for all. */
  readonly #lists = new Map<string, Map<string, readonly StoredObject[]>>();
  #listCount = 0;

  /** The row by its key, from memory or else from `read`. */
  get(key: Key, read: () => Row | undefined): Row | undefined {
    const text = textOf(key);
    const known = this.#rows.get(text);
    if (known !== undefined) return known ?? undefined;
    const row = read();
    this.#keep(text, row);
    return row;
  }

  /** All objects of a scope, likewise. */
  list({ resource, namespace = "*" }: Scope, read: () => StoredObject[]): StoredObject[] {
    const lists = this.#lists.get(resource) ?? new Map<string, readonly StoredObject[]>();
    const known = lists.get(namespace);
    if (known) return [...known];
    const objects = read();
    if (objects.length > MAX_LIST) return objects;
    if (this.#listCount >= MAX_LISTS) this.#forgetLists();
    this.#lists.set(resource, lists.set(namespace, [...objects]));
    this.#listCount += 1;
    return objects;
  }

  /** A row was written, or removed when absent. */
  wrote(key: Key, row: Row | undefined): void {
    this.#keep(textOf(key), row);
    this.#listCount -= this.#lists.get(key.resource)?.size ?? 0;
    this.#lists.delete(key.resource);
  }

  /** What was written may have been undone. */
  forget(): void {
    this.#rows.clear();
    this.#characters = 0;
    this.#forgetLists();
  }

  #forgetLists(): void {
    this.#lists.clear();
    this.#listCount = 0;
  }

  #keep(text: string, row: Row | undefined): void {
    this.#drop(text);
    this.#rows.set(text, row ?? null);
    this.#characters += sizeOf(row);
    for (const oldest of this.#rows.keys()) {
      if (this.#characters <= MAX_CHARACTERS) return;
      this.#drop(oldest);
    }
  }

  #drop(text: string): void {
    const known = this.#rows.get(text);
    if (known === undefined) return;
    this.#rows.delete(text);
    this.#characters -= sizeOf(known ?? undefined);
  }
}
