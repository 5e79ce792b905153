/**
 * Who owns the claims of a set's pods, so that the garbage collector deletes them when that is wanted.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
 */
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { same } from "../../kinds/paths.ts";
import type { OwnerReference } from "../../lib/object.ts";
import type { Intent, View } from "../controller.ts";
import { normal } from "../events.ts";
import { controllerRef } from "../owners.ts";
import { claimsOf, podName } from "./identity.ts";

type Set_ = Readonly<StatefulSet>;
type Claim = Readonly<PersistentVolumeClaim>;

const isOf = (ref: OwnerReference, kind: string, name: string | undefined) => ref.kind === kind && ref.name === name;

function policyOf({ spec }: Set_) {
  const { whenDeleted = "Retain", whenScaled = "Retain" } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  return { goesWithSet: whenDeleted === "Delete", goesWithPod: whenScaled === "Delete" };
}

/** The owner that a claim is to have: of a pod that is wanted the set, of one that is to go the pod itself. */
function ownerOf(set: Set_, pod: Readonly<Pod> | undefined, isWanted: boolean): OwnerReference | undefined {
  const { goesWithSet, goesWithPod } = policyOf(set);
  if (goesWithPod && !isWanted) return pod && controllerRef(Pod, pod);
  return goesWithSet ? controllerRef(StatefulSet, set) : undefined;
}

/** Gives the claims of a pod the owner that they are to have. Those that somebody else controls are left alone. */
export function settleOwners(view: View, set: Set_, pod: Readonly<Pod>, isWanted: boolean): Intent[] {
  const { name = "", uid } = pod.metadata;
  const { name: setName, uid: setUid } = set.metadata;
  return claimsOf(set, name).flatMap((wanted): Intent[] => {
    const claim = view.get(PersistentVolumeClaim, set.metadata.namespace ?? "", wanted.metadata?.name ?? "");
    if (!claim) return [];
    const known = claim.metadata?.ownerReferences ?? [];
    const isOurs = (ref: OwnerReference) => isOf(ref, "Pod", name) || isOf(ref, "StatefulSet", setName);
    if (known.some((ref) => (isOurs(ref) ? ref.uid !== uid && ref.uid !== setUid : ref.controller))) return [];
    const owner = ownerOf(set, pod, isWanted);
    const ownerReferences = [...known.filter((ref) => !isOurs(ref)), ...(owner ? [owner] : [])];
    if (same(ownerReferences, known)) return [];
    const object = { ...claim, metadata: { ...claim.metadata, ownerReferences } } as PersistentVolumeClaim;
    return [{ do: "update", kind: PersistentVolumeClaim, object }];
  });
}

/** Names of the sets that own a claim or did before, themselves or by a pod. */
export function setsOwning(...bodies: readonly (Claim | undefined)[]): Set<string> {
  const owners = bodies.flatMap((claim) => claim?.metadata?.ownerReferences ?? []);
  const setOf = ({ kind, name }: OwnerReference) => {
    if (kind === "StatefulSet") return [name];
    return kind === "Pod" ? [name.slice(0, name.lastIndexOf("-"))] : [];
  };
  return new Set(owners.flatMap(setOf));
}

/** Keys of the sets that have a pod with a claim of this name. */
export function* setsClaiming(view: View, { metadata }: Claim): Iterable<string> {
  const { namespace = "", name = "" } = metadata ?? {};
  for (const set of view.list(StatefulSet, namespace)) {
    const isIts = set.spec.volumeClaimTemplates?.some((claim) =>
      name.startsWith(`${claim.metadata?.name}-${set.metadata.name}-`),
    );
    if (isIts) yield `${namespace}/${set.metadata.name}`;
  }
}

/** Makes the claims that a wanted pod lacks. */
export function missingClaims(view: View, set: Set_, pod: Pick<Readonly<Pod>, "metadata">): Intent[] {
  const { name = "" } = pod.metadata;
  const owner = ownerOf(set, undefined, true);
  return claimsOf(set, name)
    .filter(({ metadata }) => !view.get(PersistentVolumeClaim, set.metadata.namespace ?? "", metadata?.name ?? ""))
    .flatMap(({ metadata, ...claim }): Intent[] => {
      const object = { ...claim, metadata: { ...metadata, ...(owner && { ownerReferences: [owner] }) } };
      const text = `create Claim ${metadata?.name} Pod ${name} in StatefulSet ${set.metadata.name} success`;
      return [{ do: "create", kind: PersistentVolumeClaim, object }, normal(set, "SuccessfulCreate", text)];
    });
}

/** A claim goes with an earlier pod of the name: the next one waits for a new claim. */
export function hasStaleClaim(view: View, set: Set_, ordinal: number): boolean {
  const name = podName(set, ordinal);
  if (!policyOf(set).goesWithPod) return false;
  const isStale = (claim: Claim | undefined) => claim?.metadata?.ownerReferences?.some((ref) => isOf(ref, "Pod", name));
  return claimsOf(set, name).some(({ metadata }) =>
    isStale(view.get(PersistentVolumeClaim, set.metadata.namespace ?? "", metadata?.name ?? "")),
  );
}
