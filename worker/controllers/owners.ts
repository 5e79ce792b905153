import type { Kind } from "../kinds/kind.ts";
import { controllerOf, type KubeObject, type OwnerReference } from "../lib/object.ts";
import type { Intent, View } from "./controller.ts";
import { keyOf } from "./keys.ts";

export { controllerOf };

export function controllerRef(kind: Kind, owner: Readonly<KubeObject>): OwnerReference {
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    name: owner.metadata?.name ?? "",
    uid: owner.metadata?.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** True when `ref` names this kind in any version of its group. */
export function refersTo(ref: OwnerReference | undefined, kind: Kind): boolean {
  if (!ref || ref.kind !== kind.kind) return false;
  const slash = ref.apiVersion.indexOf("/");
  return (slash < 0 ? "" : ref.apiVersion.slice(0, slash)) === kind.group;
}

type Selecting = KubeObject & { metadata: { uid?: string; namespace?: string; deletionTimestamp?: string } };

/**
 * Keys of the owners that a dependent's write concerns: its controller, its former controller, and, for a dependent
 * without one, every owner that would adopt it.
 */
export function* keysOfOwners<O extends Selecting>(
  owners: Kind<O>,
  object: Readonly<KubeObject>,
  old: Readonly<KubeObject> | undefined,
  view: View,
  selects: (owner: Readonly<O>, object: Readonly<KubeObject>) => boolean,
): Iterable<string> {
  const namespace = object.metadata?.namespace ?? "";
  const controller = controllerOf(object);
  const former = controllerOf(old);
  if (controller && refersTo(controller, owners)) yield `${namespace}/${controller.name}`;
  if (former && former.uid !== controller?.uid && refersTo(former, owners)) yield `${namespace}/${former.name}`;
  if (!controller && !object.metadata?.deletionTimestamp)
    for (const owner of view.list(owners, namespace)) if (selects(owner, object)) yield keyOf(owner);
}

/**
 * Settles who belongs to an owner: adopts matching objects that no one controls, releases controlled ones that match
 * no more. An owner on its way out does neither.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions
 */
export function claim<O extends Selecting, T extends KubeObject>(
  view: View,
  ownerKind: Kind<O>,
  owner: Readonly<O>,
  kind: Kind<T>,
  selects: (object: Readonly<T>) => boolean,
): { claimed: Readonly<T>[]; intents: Intent[] } {
  const uid = owner.metadata.uid ?? "";
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  const claimed: Readonly<T>[] = [];
  const intents: Intent[] = [];
  for (const object of view.owned(kind, uid)) {
    if (controllerOf(object)?.uid !== uid) continue;
    if (selects(object)) claimed.push(object);
    else if (!leaving && !object.metadata?.deletionTimestamp)
      intents.push(withOwners(kind, object, (refs) => refs.filter((ref) => ref.uid !== uid)));
  }
  if (leaving) return { claimed, intents };
  for (const object of view.owned(kind, "")) {
    const { metadata } = object;
    if (metadata?.namespace !== owner.metadata.namespace || metadata?.deletionTimestamp || !selects(object)) continue;
    claimed.push(object);
    intents.push(withOwners(kind, object, (refs) => [...refs, controllerRef(ownerKind, owner)]));
  }
  return { claimed, intents };
}

/** An update that changes nothing but the ownerReferences. */
export function withOwners<T extends KubeObject>(
  kind: Kind<T>,
  object: Readonly<T>,
  change: (refs: readonly OwnerReference[]) => OwnerReference[],
): Intent {
  const { ownerReferences = [], ...metadata } = object.metadata ?? {};
  const owners = change(ownerReferences);
  return {
    do: "update",
    kind,
    object: { ...object, metadata: owners.length > 0 ? { ...metadata, ownerReferences: owners } : metadata },
  };
}
