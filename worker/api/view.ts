import type { Digest, View } from "../controllers/controller.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Kinds } from "../kinds/registry.ts";
import type { Key, KubeObject } from "../lib/object.ts";
import type { Reader, Store, StoredObject, Version } from "../storage/store.ts";
import { Digests } from "./digests.ts";
import { storageResource } from "./engine/conversions.ts";
import { ADOPTABLE, nodeRef, ownerRef } from "./engine/refs.ts";
import { keyOf } from "./engine/stored.ts";
import { LARGE_SET, Sets } from "./sets.ts";

/** Parsed objects kept at most, in characters of their JSON. */
const CACHE_CHARACTERS = 8 * 1024 * 1024;

/** Of objects that are asked for together, so many are fetched one by one; if more are unknown, all are read at once. */
const MAX_FETCHED = 50;

/** What is remembered of an object is looked at so much faster than the object itself. */
const DIGESTED_WEIGHT = 0.1;

/** Objects in memory at once while all are looked at. */
const PAGE_OBJECTS = 100;

type Entry = { stored: StoredObject; object: KubeObject; isSettled: boolean };

/**
 * Parsed objects by key, the least recently used dropped first. An entry counts only while its text is the stored one:
 * a revision alone could be that of a write that was rolled back, unless it was settled when it was read.
 */
class ParsedObjects {
  readonly #entries = new Map<string, Entry>();
  #characters = 0;
  readonly #limit: number;

  constructor(limit: number = CACHE_CHARACTERS) {
    this.#limit = limit;
  }

  parse(stored: StoredObject, settledRevision: number): KubeObject {
    const key = textOf(stored);
    const isSettled = stored.revision <= settledRevision;
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      if (known.stored.json === stored.json) {
        this.#entries.set(key, { ...known, isSettled: known.isSettled || isSettled });
        return known.object;
      }
      this.#characters -= known.stored.json.length;
    }
    const object = JSON.parse(stored.json) as KubeObject;
    this.#entries.set(key, { stored, object, isSettled });
    this.#characters += stored.json.length;
    this.#shrink();
    return object;
  }

  /** The object of this version, if it is here. */
  find(version: Version): KubeObject | undefined {
    const key = textOf(version);
    const entry = this.#entries.get(key);
    if (!entry?.isSettled || entry.stored.revision !== version.revision || entry.stored.uid !== version.uid)
      return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.object;
  }

  /** How long the text of this version is; undefined when it is not here. */
  characters({ revision, ...key }: Version): number | undefined {
    const entry = this.#entries.get(textOf(key));
    return entry?.stored.revision === revision ? entry.stored.json.length : undefined;
  }

  #shrink(): void {
    for (const [key, { stored }] of this.#entries) {
      if (this.#characters <= this.#limit) return;
      this.#entries.delete(key);
      this.#characters -= stored.json.length;
    }
  }
}

const textOf = ({ resource, namespace, name }: Key) => `${resource}/${namespace}/${name}`;

/** What controllers, the scheduler and admission read. Objects are shared: copy before changing. */
export class StoreView implements View {
  readonly #store: Reader;
  readonly #kinds: Kinds;
  readonly #parsed: ParsedObjects;
  readonly #digests = new Digests();
  readonly #sets: Sets;
  /** Objects that were handed out by the lot, since the start. */
  looked = 0;

  constructor(store: Reader & Pick<Store, "onChange">, kinds: Kinds, parsed: ParsedObjects = new ParsedObjects()) {
    this.#sets = new Sets(store.revision());
    store.onChange((changes) => {
      this.#digests.changed(changes);
      this.#sets.changed(changes);
    });
    this.#store = store;
    this.#kinds = kinds;
    this.#parsed = parsed;
  }

  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): Readonly<T> | undefined {
    const stored = this.#store.get(keyOf(kind as unknown as Kind, namespace, name));
    return stored && (this.parse(stored) as T);
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly Readonly<T>[] {
    const scope = { resource: storageResource(kind as unknown as Kind), ...(namespace !== undefined && { namespace }) };
    return this.#all<T>(this.#store.list(scope).items);
  }

  /** What is looked at once is not worth a place among the parsed objects. */
  *pages<T extends KubeObject>(kind: Kind<T>, namespace?: string): Iterable<readonly Readonly<T>[]> {
    const scope = { resource: storageResource(kind as unknown as Kind), ...(namespace !== undefined && { namespace }) };
    let after: { namespace: string; name: string } | undefined;
    do {
      const page = this.#store.list(scope, { limit: PAGE_OBJECTS, after, count: false });
      yield page.items.map(({ json }) => JSON.parse(json) as T);
      after = page.next;
    } while (after);
  }

  digest<T extends KubeObject, D>(digest: Digest<T, D>): ReadonlyMap<string, D> {
    const known = this.#digests.get(digest, () => this.pages(digest.kind));
    this.looked += known.size * DIGESTED_WEIGHT;
    return known;
  }

  owned<T extends KubeObject>(kind: Kind<T>, ownerUid: string): readonly Readonly<T>[] {
    if (ownerUid === "" && !ADOPTABLE.has(kind.groupResource))
      return this.list(kind).filter((object) => !object.metadata?.ownerReferences?.length);
    return this.byRef(kind, ownerRef(ownerUid));
  }

  dependents(ownerUid: string): readonly { kind: Kind; object: Readonly<KubeObject> }[] {
    return this.#store.byRef(ownerRef(ownerUid)).flatMap((stored) => {
      const kind = this.#kinds.preferred(stored.resource);
      return kind ? [{ kind, object: this.parse(stored) }] : [];
    });
  }

  onNode<T extends KubeObject>(kind: Kind<T>, node: string): readonly Readonly<T>[] {
    return this.byRef(kind, nodeRef(node));
  }

  kind(apiVersion: string, kind: string): Kind | undefined {
    return this.#kinds.byKind(apiVersion, kind);
  }

  kinds(): readonly Kind[] {
    return [...this.#kinds.all()].filter((kind) => this.#kinds.preferred(kind.groupResource) === kind);
  }

  /** A stored row as an object, shared like all others. */
  parse(stored: StoredObject): KubeObject {
    return this.#parsed.parse(stored, this.#store.settledRevision());
  }

  /** Sets are looked at again when one of their objects has changed: bodies that are known are not read again. */
  byRef<T extends KubeObject>(kind: Kind<T>, ref: string): readonly Readonly<T>[] {
    const revision = this.#store.revision();
    const kept = this.#sets.get(kind.groupResource, ref, revision);
    if (kept) {
      this.looked += kept.length;
      return kept as readonly T[];
    }
    const versions = this.#store.versionsByRef(ref, kind.groupResource);
    const objects = this.#members<T>(versions, kind, ref);
    if (versions.length >= LARGE_SET) this.#keep(kind.groupResource, ref, revision, versions, objects);
    return objects;
  }

  #members<T extends KubeObject>(versions: readonly Version[], kind: Kind<T>, ref: string): readonly Readonly<T>[] {
    const found = versions.map((version) => this.#parsed.find(version));
    if (found.filter((object) => object === undefined).length > MAX_FETCHED)
      return this.#all<T>(this.#store.byRef(ref, kind.groupResource));
    this.looked += versions.length;
    return versions.map((version, i) => (found[i] ?? this.parse(this.#store.get(version) as StoredObject)) as T);
  }

  /** A set that is larger than what may be kept parsed is not kept. */
  #keep(resource: string, ref: string, revision: number, versions: readonly Version[], objects: readonly KubeObject[]) {
    const members = versions.flatMap((version, i) => {
      const characters = this.#parsed.characters(version);
      return characters === undefined ? [] : [{ key: version, object: objects[i] as KubeObject, characters }];
    });
    if (members.length === versions.length) this.#sets.keep(resource, ref, revision, members);
  }

  #all<T extends KubeObject>(rows: readonly StoredObject[]): readonly Readonly<T>[] {
    this.looked += rows.length;
    return rows.map((row) => this.parse(row) as T);
  }
}
