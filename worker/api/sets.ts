/**
 * The members of large sets, by the index term that finds them, kept in step with writes: whoever watches over a set
 * looks at all of it whenever one of it moves, and most of such a look was finding what is known already.
 */
import type { Key, KubeObject } from "../lib/object.ts";
import type { Change } from "../storage/store.ts";
import { bodyOf } from "./bodies.ts";
import { refsOf } from "./engine/refs.ts";

/** Characters of JSON of all members together, at most; the sets longest not asked for go first. */
const KEPT_CHARACTERS = 8 * 1024 * 1024;
/** Smaller sets are found as fast. */
export const LARGE_SET = 100;

export type Member = { object: KubeObject; characters: number };
type Kept = {
  resource: string;
  ref: string;
  members: Map<string, Member>;
  /** A map keeps the place of what is replaced, and puts what is new last. */
  isSorted: boolean;
  objects: readonly KubeObject[] | undefined;
};

/** Sorts as keys do: by namespace, then by name. */
const orderOf = ({ namespace, name }: Key) => `${namespace}\0${name}`;

export class Sets {
  /** The least recently asked for first. */
  readonly #kept = new Map<string, Kept>();
  readonly #limit: number;
  #characters = 0;
  /** The revision that the sets are at. */
  #at: number;

  constructor(revision: number, limit = KEPT_CHARACTERS) {
    this.#at = revision;
    this.#limit = limit;
  }

  /** In key order, or undefined when the set is not kept, or a write is going on whose end is not known. */
  get(resource: string, ref: string, revision: number): readonly KubeObject[] | undefined {
    const id = `${resource} ${ref}`;
    const kept = this.#kept.get(id);
    if (!kept || revision !== this.#at) return undefined;
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    if (!kept.isSorted) kept.members = new Map([...kept.members].sort(([a], [b]) => (a < b ? -1 : 1)));
    kept.isSorted = true;
    kept.objects ??= Array.from(kept.members.values(), ({ object }) => object);
    return kept.objects;
  }

  /** `members`: all of the set at `revision`. */
  keep(resource: string, ref: string, revision: number, members: readonly (Member & { key: Key })[]): void {
    if (revision !== this.#at) return;
    const byKey = new Map(members.map(({ key, object, characters }) => [orderOf(key), { object, characters }]));
    this.#kept.set(`${resource} ${ref}`, { resource, ref, members: byKey, isSorted: false, objects: undefined });
    for (const { characters } of members) this.#characters += characters;
    this.#shrink();
  }

  /** To be told of every commit. */
  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#at = change.revision;
      const concerned = [...this.#kept.values()].filter(({ resource }) => resource === change.resource);
      if (concerned.length === 0) continue;
      const object = bodyOf(change);
      const refs = change.type === "DELETED" ? [] : refsOf(change.resource, object);
      const member = { object, characters: change.json.length };
      for (const kept of concerned) this.#put(kept, orderOf(change), refs.includes(kept.ref) ? member : undefined);
    }
    this.#shrink();
  }

  #put(kept: Kept, order: string, member: Member | undefined): void {
    const former = kept.members.get(order);
    if (!former && !member) return;
    if (member) kept.members.set(order, member);
    else kept.members.delete(order);
    if (!former) kept.isSorted = false;
    kept.objects = undefined;
    this.#characters += (member?.characters ?? 0) - (former?.characters ?? 0);
  }

  #shrink(): void {
    for (const [id, { members }] of this.#kept) {
      if (this.#characters <= this.#limit) return;
      this.#kept.delete(id);
      for (const { characters } of members.values()) this.#characters -= characters;
    }
  }
}
