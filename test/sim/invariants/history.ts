/** Everything that was committed, replayed: the one account of what the cluster holds that all rules share. */
import type { KubeObject } from "../../../worker/lib/object.ts";
import type { Change, StoredObject } from "../../../worker/storage/store.ts";

/** An object at one revision. */
export type Entry<T extends KubeObject = KubeObject> = {
  resource: string;
  namespace: string;
  name: string;
  uid: string;
  revision: number;
  json: string;
  object: Readonly<T>;
  /** The revision of its creation; 0 when it was there before the history began. */
  since: number;
};

/** One change, seen from the state after it. `object` is the last body of what was deleted; `old` what was there before. */
export type Step<T extends KubeObject = KubeObject> = Pick<
  Change,
  "resource" | "namespace" | "name" | "uid" | "revision" | "type" | "json"
> & { at: number; object: Readonly<T>; old: Readonly<T> | undefined; before: Entry<T> | undefined };

export const nameOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
export const describe = ({ resource, namespace, name }: Pick<Entry, "resource" | "namespace" | "name">): string =>
  `${resource} ${namespace ? `${namespace}/` : ""}${name}`;

export class History {
  /** The time of the newest observation, ms. */
  at = 0;
  /** Steps by resource, oldest first. */
  readonly #steps = new Map<string, Step[]>();
  readonly #byRevision = new Map<number, Step>();
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #byUid = new Map<string, Entry>();
  /** Names of objects by the uids of their owners. */
  readonly #dependents = new Map<string, Set<Entry>>();
  revision: number;
  /** Revisions up to this one are not known one by one. */
  readonly start: number;

  constructor(stored: Iterable<StoredObject>, revision: number) {
    this.revision = revision;
    this.start = revision;
    for (const { resource, namespace, name, uid, json, revision: written } of stored)
      this.#put({
        resource,
        namespace,
        name,
        uid,
        revision: written,
        json,
        object: JSON.parse(json) as KubeObject,
        since: 0,
      });
  }

  apply(change: Change, at: number): Step {
    const { resource, namespace, name, uid, revision, type, json } = change;
    const before = this.get(resource, namespace, name);
    const object = JSON.parse(json) as KubeObject;
    const step: Step = {
      resource,
      namespace,
      name,
      uid,
      revision,
      type,
      json,
      at,
      object,
      old: before?.object,
      before,
    };
    if (before) this.#drop(before);
    if (type !== "DELETED") {
      const since = before?.uid === uid ? before.since : revision;
      this.#put({ resource, namespace, name, uid, revision, json, object, since });
    }
    this.#stepsOf(resource).push(step);
    this.#byRevision.set(revision, step);
    this.revision = revision;
    return step;
  }

  #put(entry: Entry): void {
    const entries = this.#entries.get(entry.resource) ?? new Map<string, Entry>();
    this.#entries.set(entry.resource, entries);
    entries.set(nameOf(entry), entry);
    this.#byUid.set(entry.uid, entry);
    for (const { uid } of entry.object.metadata?.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid) ?? new Set();
      this.#dependents.set(uid, dependents.add(entry));
    }
  }

  #drop(entry: Entry): void {
    this.#entries.get(entry.resource)?.delete(nameOf(entry));
    this.#byUid.delete(entry.uid);
    for (const { uid } of entry.object.metadata?.ownerReferences ?? []) this.#dependents.get(uid)?.delete(entry);
  }

  #stepsOf(resource: string): Step[] {
    const steps = this.#steps.get(resource) ?? [];
    this.#steps.set(resource, steps);
    return steps;
  }

  /** All steps of a resource, oldest first; grows as history does. */
  steps(resource: string): readonly Step[] {
    return this.#stepsOf(resource);
  }

  stepAt(revision: number): Step | undefined {
    return this.#byRevision.get(revision);
  }

  resources(): Iterable<string> {
    return this.#entries.keys();
  }

  get<T extends KubeObject>(resource: string, namespace: string, name: string): Entry<T> | undefined {
    return this.#entries.get(resource)?.get(`${namespace}/${name}`) as Entry<T> | undefined;
  }

  byUid<T extends KubeObject>(uid: string): Entry<T> | undefined {
    return this.#byUid.get(uid) as Entry<T> | undefined;
  }

  /** In no order. */
  all<T extends KubeObject>(resource: string, namespace?: string): Entry<T>[] {
    const entries = [...(this.#entries.get(resource)?.values() ?? [])] as Entry<T>[];
    return namespace === undefined ? entries : entries.filter((entry) => entry.namespace === namespace);
  }

  objects<T extends KubeObject>(resource: string, namespace?: string): Readonly<T>[] {
    return this.all<T>(resource, namespace).map(({ object }) => object);
  }

  dependents(uid: string): readonly Entry[] {
    return [...(this.#dependents.get(uid) ?? [])];
  }

  /** Of one resource, those that this uid controls. */
  controlled<T extends KubeObject>(resource: string, uid: string): Entry<T>[] {
    return this.dependents(uid).filter(
      (entry) => entry.resource === resource && controllerOf(entry.object)?.uid === uid,
    ) as Entry<T>[];
  }

  /** Entries of a scope as they were at a revision since the history began. */
  snapshot(resource: string, namespace: string | undefined, revision: number): Map<string, Entry> {
    const entries = new Map(this.all(resource, namespace).map((entry) => [nameOf(entry), entry]));
    const steps = this.#stepsOf(resource);
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i] as Step;
      if (step.revision <= revision) break;
      if (namespace !== undefined && step.namespace !== namespace) continue;
      if (step.before) entries.set(nameOf(step), step.before);
      else entries.delete(nameOf(step));
    }
    return entries;
  }
}

export const controllerOf = (object: Readonly<KubeObject>) =>
  object.metadata?.ownerReferences?.find(({ controller }) => controller);

/** The first of a resource's steps after a revision. */
export function firstAfter(steps: readonly Step[], revision: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as Step).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
