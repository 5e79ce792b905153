/**
 * What is worth remembering of every object of a kind, kept in step with writes: a few bytes of each of 5,000 nodes,
 * where all of them would have to be read again at every write.
 */
import type { Digest } from "../controllers/controller.ts";
import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Change } from "../storage/store.ts";
import { bodyOf } from "./bodies.ts";
import { storageResource } from "./engine/conversions.ts";

type Kept = { resource: string; of: (object: KubeObject) => unknown; isSparse?: true; known: Map<string, unknown> };

const keyOf = (place: KubeObject["metadata"]) => `${place?.namespace ?? ""}/${place?.name ?? ""}`;

export class Digests {
  readonly #kept = new Map<unknown, Kept>();

  /** By key, as keys of controllers are. `pages` reads all objects, which is done once. */
  get<T extends KubeObject, D>(
    digest: Digest<T, D>,
    pages: () => Iterable<readonly Readonly<T>[]>,
  ): ReadonlyMap<string, D> {
    const kept = this.#kept.get(digest);
    if (kept) return kept.known as Map<string, D>;
    const known = new Map<string, D>();
    const resource = storageResource(digest.kind as unknown as Kind);
    const fresh: Kept = { ...(digest as unknown as Pick<Kept, "of" | "isSparse">), resource, known };
    for (const page of pages()) for (const object of page) remember(fresh, keyOf(object.metadata), object);
    this.#kept.set(digest, fresh);
    return known;
  }

  /** To be told of every commit. */
  changed(changes: readonly Change[]): void {
    for (const kept of this.#kept.values())
      for (const change of changes) {
        if (change.resource !== kept.resource) continue;
        if (change.type === "DELETED") kept.known.delete(keyOf(change));
        else remember(kept, keyOf(change), bodyOf(change));
      }
  }
}

function remember({ of, isSparse, known }: Kept, key: string, object: KubeObject): void {
  const value = of(object);
  if (isSparse && value === undefined) known.delete(key);
  else known.set(key, value);
}
