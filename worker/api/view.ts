import type { View } from "../controllers/controller.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Kinds } from "../kinds/registry.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Reader, StoredObject } from "../storage/store.ts";
import { storageResource } from "./engine/conversions.ts";
import { ADOPTABLE, nodeRef, ownerRef } from "./engine/refs.ts";
import { keyOf } from "./engine/stored.ts";

/** Parsed objects kept at most, in characters of their JSON. */
const CACHE_CHARACTERS = 8 * 1024 * 1024;

type Entry = { json: string; object: KubeObject };

/**
 * Parsed objects by key, the least recently used dropped first. An entry counts only while its text is the stored one:
 * a revision alone could be that of a write that was rolled back.
 */
export class ParsedObjects {
  readonly #entries = new Map<string, Entry>();
  #characters = 0;
  readonly #limit: number;

  constructor(limit: number = CACHE_CHARACTERS) {
    this.#limit = limit;
  }

  parse(stored: StoredObject): KubeObject {
    const key = `${stored.resource}/${stored.namespace}/${stored.name}`;
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      if (known.json === stored.json) {
        this.#entries.set(key, known);
        return known.object;
      }
      this.#characters -= known.json.length;
    }
    const object = JSON.parse(stored.json) as KubeObject;
    this.#entries.set(key, { json: stored.json, object });
    this.#characters += stored.json.length;
    this.#shrink();
    return object;
  }

  #shrink(): void {
    for (const [key, { json }] of this.#entries) {
      if (this.#characters <= this.#limit) return;
      this.#entries.delete(key);
      this.#characters -= json.length;
    }
  }
}

/** What controllers, the scheduler and admission read. Objects are shared: copy before changing. */
export class StoreView implements View {
  readonly #store: Reader;
  readonly #kinds: Kinds;
  readonly #parsed: ParsedObjects;
  /** Objects that were handed out by the lot, since the start. */
  looked = 0;

  constructor(store: Reader, kinds: Kinds, parsed: ParsedObjects = new ParsedObjects()) {
    this.#store = store;
    this.#kinds = kinds;
    this.#parsed = parsed;
  }

  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): Readonly<T> | undefined {
    const stored = this.#store.get(keyOf(kind as unknown as Kind, namespace, name));
    return stored && (this.#parsed.parse(stored) as T);
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly Readonly<T>[] {
    const scope = { resource: storageResource(kind as unknown as Kind), ...(namespace !== undefined && { namespace }) };
    const page = this.#store.list(scope);
    return page === "expired" ? [] : this.#all<T>(page.items);
  }

  owned<T extends KubeObject>(kind: Kind<T>, ownerUid: string): readonly Readonly<T>[] {
    if (ownerUid === "" && !ADOPTABLE.has(kind.groupResource))
      return this.list(kind).filter((object) => !object.metadata?.ownerReferences?.length);
    return this.#all<T>(this.#store.byRef(ownerRef(ownerUid), kind.groupResource));
  }

  dependents(ownerUid: string): readonly { kind: Kind; object: Readonly<KubeObject> }[] {
    return this.#store.byRef(ownerRef(ownerUid)).flatMap((stored) => {
      const kind = this.#kinds.preferred(stored.resource);
      return kind ? [{ kind, object: this.#parsed.parse(stored) }] : [];
    });
  }

  onNode<T extends KubeObject>(kind: Kind<T>, node: string): readonly Readonly<T>[] {
    return this.#all<T>(this.#store.byRef(nodeRef(node), kind.groupResource));
  }

  kind(apiVersion: string, kind: string): Kind | undefined {
    return this.#kinds.byKind(apiVersion, kind);
  }

  kinds(): readonly Kind[] {
    return [...this.#kinds.all()].filter((kind) => this.#kinds.preferred(kind.groupResource) === kind);
  }

  /** A stored row as an object, shared like all others. */
  parse(stored: StoredObject): KubeObject {
    return this.#parsed.parse(stored);
  }

  byRef<T extends KubeObject>(kind: Kind<T>, ref: string): readonly Readonly<T>[] {
    return this.#all<T>(this.#store.byRef(ref, kind.groupResource));
  }

  #all<T extends KubeObject>(rows: readonly StoredObject[]): readonly Readonly<T>[] {
    this.looked += rows.length;
    return rows.map((row) => this.#parsed.parse(row) as T);
  }
}
