import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject, OwnerReference } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { warning } from "../events.ts";
import { withOwners } from "../owners.ts";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";
/** Dependents handled by one reconcile; it runs again for the rest. */
const BURST = 500;

type Dependent = { kind: Kind; object: Readonly<KubeObject> };
/** How an owner stands: there, not there, waiting for its dependents to go, or not for us to judge. */
type Standing = "solid" | "absent" | "waiting" | "unknown";

/**
 * Removes what no owner holds any longer, and carries out foreground and orphan deletion.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 *
 * A key is either one object to look at, `apiVersion Kind namespace/name` (the namespace may be that of a dependent, for
 * an owner that has none), or `gone UID`, whose dependents are to be looked at.
 */
export const garbageCollector: Controller = {
  name: "generic-garbage-collector",
  watches: "all",
  *keysForAny(kind, object, old, type) {
    const { metadata } = object;
    const before = old?.metadata?.ownerReferences ?? [];
    const after = metadata?.ownerReferences ?? [];
    const moved = type !== "MODIFIED" || !same(before, after);
    if (type === "DELETED") yield `gone ${metadata?.uid}`;
    else if ((moved && after.length > 0) || (metadata?.deletionTimestamp && isHeld(object)))
      yield keyFor(kind.apiVersion, kind.kind, metadata?.namespace, metadata?.name);
    // Owners in foreground deletion wait for this one to go or to let them go.
    if (moved && type !== "ADDED")
      for (const owner of before) yield keyFor(owner.apiVersion, owner.kind, metadata?.namespace, owner.name);
  },
  reconcile(view, key) {
    const [apiVersion = "", kindName = "", path = ""] = key.split(" ");
    if (apiVersion === "gone") return inBursts(view.dependents(kindName), (dependent) => collect(view, dependent));
    const kind = view.kind(apiVersion, kindName);
    if (!kind) return [];
    const slash = path.indexOf("/");
    const object = view.get(kind, kind.namespaced ? path.slice(0, slash) : "", path.slice(slash + 1));
    if (!object) return [];
    return object.metadata?.deletionTimestamp ? finish(view, kind, object) : collect(view, { kind, object });
  },
};

const keyFor = (apiVersion: string, kind: string, namespace = "", name = "") =>
  `${apiVersion} ${kind} ${namespace}/${name}`;
const has = (object: Readonly<KubeObject>, finalizer: string) =>
  object.metadata?.finalizers?.includes(finalizer) ?? false;
const isHeld = (object: Readonly<KubeObject>) => has(object, FOREGROUND) || has(object, ORPHAN);
const uidOf = (object: Readonly<KubeObject>) => object.metadata?.uid ?? "";

function inBursts(dependents: readonly Dependent[], each: (dependent: Dependent) => Intent[]): Intent[] {
  const intents = dependents.slice(0, BURST).flatMap(each);
  if (dependents.length > BURST && intents.length > 0) intents.push({ do: "again", afterMs: 0 });
  return intents;
}

/** Takes our finalizers off an object that is being deleted, once its dependents are orphaned or gone. */
function finish(view: View, kind: Kind, object: Readonly<KubeObject>): Intent[] {
  const uid = uidOf(object);
  if (has(object, ORPHAN)) {
    const dependents = view.dependents(uid);
    const orphaned = inBursts(dependents, (dependent) => [release(dependent, (owner) => owner.uid === uid)]);
    return dependents.length > BURST ? orphaned : [...orphaned, withoutFinalizer(kind, object, ORPHAN)];
  }
  if (!has(object, FOREGROUND)) return [];
  const dependents = view.dependents(uid);
  const blocking = dependents.some(({ object: { metadata } }) =>
    metadata?.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion),
  );
  if (!blocking) return [withoutFinalizer(kind, object, FOREGROUND)];
  const left = dependents.filter((dependent) => !dependent.object.metadata?.deletionTimestamp);
  return inBursts(left, (dependent) => collect(view, dependent));
}

/** Deletes an object that no owner holds; of one that some do, drops the references to the others. */
function collect(view: View, dependent: Dependent): Intent[] {
  const { kind, object } = dependent;
  const owners = object.metadata?.ownerReferences ?? [];
  if (owners.length === 0 || object.metadata?.deletionTimestamp) return [];
  const invalid = owners.find((owner) => !kind.namespaced && view.kind(owner.apiVersion, owner.kind)?.namespaced);
  if (invalid) return [invalidNamespace(object, invalid)];
  const standings = new Map(owners.map((owner) => [owner, standing(view, object, owner)]));
  const stand = (wanted: Standing) => owners.some((owner) => standings.get(owner) === wanted);
  if (stand("unknown")) return [];
  if (stand("solid")) {
    if (!stand("absent") && !stand("waiting")) return [];
    return [release(dependent, (owner) => standings.get(owner) !== "solid")];
  }
  const below = stand("waiting") ? view.dependents(uidOf(object)) : [];
  const { namespace = "", name = "" } = object.metadata ?? {};
  const propagationPolicy = has(object, ORPHAN)
    ? "Orphan"
    : below.length > 0 || has(object, FOREGROUND)
      ? "Foreground"
      : "Background";
  const remove: Intent = { do: "delete", kind, namespace, name, uid: uidOf(object), propagationPolicy };
  // Owners that wait for their dependents in a circle would wait for ever.
  return below.some((other) => isWaiting(other.object)) ? [unblock(dependent), remove] : [remove];
}

/** Owners count by uid, in the dependent's namespace or in none; a kind that is not served now may come back. */
function standing(view: View, object: Readonly<KubeObject>, owner: OwnerReference): Standing {
  const kind = view.kind(owner.apiVersion, owner.kind);
  if (!kind) return "unknown";
  const found = view.get(kind, kind.namespaced ? (object.metadata?.namespace ?? "") : "", owner.name);
  if (!found || uidOf(found) !== owner.uid) return "absent";
  return isWaiting(found) ? "waiting" : "solid";
}

/** In foreground deletion. */
const isWaiting = (object: Readonly<KubeObject>): boolean =>
  object.metadata?.deletionTimestamp !== undefined && has(object, FOREGROUND);

/** No owner waits for this object any longer. */
function unblock({ kind, object }: Dependent): Intent {
  return withOwners(kind, object, (owners) => owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })));
}

function release({ kind, object }: Dependent, drop: (owner: OwnerReference) => boolean): Intent {
  return withOwners(kind, object, (owners) => owners.filter((owner) => !drop(owner)));
}

function withoutFinalizer(kind: Kind, object: Readonly<KubeObject>, finalizer: string): Intent {
  const finalizers = object.metadata?.finalizers?.filter((other) => other !== finalizer);
  return { do: "update", kind, object: { ...object, metadata: { ...object.metadata, finalizers } } };
}

function invalidNamespace(object: Readonly<KubeObject>, { apiVersion, kind, name, uid }: OwnerReference): Intent {
  const ref = `[${apiVersion}/${kind}, namespace: , name: ${name}, uid: ${uid}]`;
  const namespace = object.metadata?.namespace ?? "";
  return warning(object, "OwnerRefInvalidNamespace", `ownerRef ${ref} does not exist in namespace "${namespace}"`);
}
