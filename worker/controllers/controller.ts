/**
 * Controllers decide; one place acts. `reconcile` is a pure function of a view and returns intents; it never waits,
 * never writes, and may be called any number of times with the same key. Objects in a view are shared and frozen by
 * convention: copy before changing.
 *
 * The contract: after any write to an object that a controller watches, `reconcile` runs for every key that `keys`
 * names, in the same turn or a later one, and sees that write. Keys are `namespace/name` (`/name` when cluster-scoped).
 */
import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../lib/object.ts";
import type { ApiError } from "../lib/status.ts";

/** Something small that is made of every object of a kind. One value for one purpose: it is known by its identity. */
export type Digest<T extends KubeObject, D> = {
  kind: Kind<T>;
  of(object: Readonly<T>): D;
  /** Of most objects there is nothing to remember: what is undefined is left out. */
  isSparse?: true;
};

export interface View {
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): Readonly<T> | undefined;
  /** In key order; all namespaces when `namespace` is absent. */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly Readonly<T>[];
  /**
   * The same, some at a time, each page as it is when it is asked for: for what must look at all objects, however many.
   */
  pages<T extends KubeObject>(kind: Kind<T>, namespace?: string): Iterable<readonly Readonly<T>[]>;
  /** What is remembered of every object of a kind, by key; asking again costs nothing. */
  digest<T extends KubeObject, D>(digest: Digest<T, D>): ReadonlyMap<string, D>;
  /** Objects of one kind whose ownerReferences name this uid, controller or not; with `""`, those that no controller owns. */
  owned<T extends KubeObject>(kind: Kind<T>, ownerUid: string): readonly Readonly<T>[];
  /** Objects of any kind whose ownerReferences name this uid. */
  dependents(ownerUid: string): readonly { kind: Kind; object: Readonly<KubeObject> }[];
  /** Pods bound to a node; with `""`, pods that no node was chosen for. */
  onNode<T extends KubeObject>(kind: Kind<T>, node: string): readonly Readonly<T>[];
  /** The kind that an ownerReference or apiVersion/kind pair names, when served. */
  kind(apiVersion: string, kind: string): Kind | undefined;
  /** Every served kind, one version a resource. */
  kinds(): readonly Kind[];
}

export type Intent =
  | { do: "create"; kind: Kind; object: KubeObject }
  /**
   * Replaces spec and metadata; the object's resourceVersion must be current, else the key runs again.
   * `subresource` sends it to that endpoint instead (`finalize` of a Namespace).
   */
  | { do: "update"; kind: Kind; object: KubeObject; subresource?: string }
  /** Replaces status only. */
  | { do: "updateStatus"; kind: Kind; object: KubeObject }
  | {
      do: "delete";
      kind: Kind;
      namespace: string;
      name: string;
      uid: string;
      gracePeriodSeconds?: number;
      propagationPolicy?: "Background" | "Foreground" | "Orphan";
    }
  /** An Event about an object; equal ones are counted up, as client-go's recorder does. */
  | { do: "event"; about: KubeObject; type: "Normal" | "Warning"; reason: string; message: string; action?: string }
  /** Binds a pod, as `pods/binding` does. */
  | { do: "bind"; namespace: string; name: string; uid: string; node: string }
  /** All of these or none: where storage fails or the API refuses one, the others are as if they had never been. */
  | { do: "together"; intents: readonly Exclude<Intent, { do: "again" | "together" }>[] }
  /** Runs this key again after so many milliseconds. */
  | { do: "again"; afterMs: number };

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

export type Watch<T extends KubeObject = KubeObject> = {
  kind: Kind<T>;
  /**
   * Keys to reconcile after a write. `old` is absent on creation; on deletion both are the last body, so comparing them
   * tells nothing: ask `type`.
   */
  keys(object: Readonly<T>, old: Readonly<T> | undefined, view: View, type: ChangeType): Iterable<string>;
};

export type Context = { now: number; random: () => number };

export type Refusal = { intent: Intent; error: ApiError };

export type Controller = {
  /** kube-controller-manager's name for it, also the Event source: `deployment-controller`. */
  name: string;
  watches: readonly Watch[] | "all";
  /** Used instead of each watch's keys when `watches` is "all". */
  keysForAny?(
    kind: Kind,
    object: Readonly<KubeObject>,
    old: Readonly<KubeObject> | undefined,
    type: ChangeType,
    view: View,
  ): Iterable<string>;
  reconcile(view: View, key: string, context: Context): Intent[];
  /**
   * It sums over many objects, so it runs when the other controllers are at rest, or now and then while they are not:
   * a burst of a thousand writes costs a few sums, not a thousand.
   */
  patient?: boolean;
  /** Of the keys that wait, those of a higher number run first; absent means order of arrival. */
  priorityOf?(view: View, key: string): number;
  /** What to tell users (events, conditions) when an intent of this key was refused; the key is tried again anyway. */
  refused?(view: View, key: string, refusal: Refusal, context: Context): Intent[];
};
