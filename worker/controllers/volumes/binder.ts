import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { StorageClass } from "../../kinds/storage/storage-class.ts";
import { timestamp } from "../../lib/effects.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { settleClaim } from "./claims.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, type Claim, classOf, type Volume } from "./matching.ts";

const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";

/**
 * Brings claims and volumes together, one to one, and tells in their phases how far they are.
 * Its keys are claims (`namespace/name`) and volumes (`/name`).
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
export const volumeBinder: Controller = {
  name: "persistentvolume-controller",
  watches: [
    watch(PersistentVolumeClaim, function* (claim, _old, view) {
      yield keyOf(claim);
      const named = claim.spec?.volumeName;
      if (named) yield `/${named}`;
      // A volume may be kept for a claim that does not name it.
      for (const volume of view.list(PersistentVolume))
        if (volume.spec?.claimRef?.uid === claim.metadata?.uid) yield keyOf(volume);
    }),
    watch(PersistentVolume, function* (volume, _old, view, type) {
      if (type !== "DELETED") yield keyOf(volume);
      const { namespace, name } = volume.spec?.claimRef ?? {};
      if (name) yield `${namespace}/${name}`;
      if (volume.spec?.claimRef?.uid || volume.status?.phase !== "Available") return;
      const isWanted = (claim: Claim) =>
        classOf(claim) === classOf(volume) || claim.spec?.volumeName === volume.metadata?.name;
      for (const claim of view.list(PersistentVolumeClaim))
        if (!claim.metadata?.annotations?.[BIND_COMPLETED] && isWanted(claim)) yield keyOf(claim);
    }),
    // Why a claim waits for a pod is told anew when that has no node to go to.
    watch(Pod, function* (pod) {
      if (pod.spec.nodeName || conditionOf(pod.status?.conditions, "PodScheduled")?.status !== "False") return;
      for (const { claim } of podClaims(pod)) yield `${pod.metadata.namespace}/${claim}`;
    }),
    watch(StorageClass, function* ({ metadata }, _old, view) {
      for (const claim of view.list(PersistentVolumeClaim))
        if (!claim.metadata?.annotations?.[BIND_COMPLETED] && ["", metadata?.name].includes(classOf(claim)))
          yield keyOf(claim);
    }),
  ],
  reconcile(view, key, { now }) {
    const [namespace, name] = splitKey(key);
    if (namespace) {
      const claim = view.get(PersistentVolumeClaim, namespace, name);
      return claim ? settleClaim(view, claim) : [];
    }
    const volume = view.get(PersistentVolume, "", name);
    return volume ? settleVolume(view, volume, timestamp(now)) : [];
  },
};

function settleVolume(view: View, volume: Volume, now: string): Intent[] {
  const reference = volume.spec?.claimRef;
  if (!reference?.uid) return phase(volume, "Available", now);
  const claim = view.get(PersistentVolumeClaim, reference.namespace ?? "", reference.name ?? "");
  if (claim?.metadata?.uid !== reference.uid) return release(volume, now);
  if (claim.spec?.volumeName === volume.metadata?.name) return phase(volume, "Bound", now);
  // The claim took another volume, or is about to take this one.
  const isTaken = Boolean(claim.spec?.volumeName);
  return isTaken && volume.metadata?.annotations?.[BOUND_BY_CONTROLLER] ? [letGo(volume)] : [];
}

function phase(volume: Volume, wanted: string, now: string, message?: string): Intent[] {
  const { phase: known, message: told, ...rest } = volume.status ?? {};
  if (known === wanted && told === message) return [];
  const status = {
    ...rest,
    phase: wanted,
    ...(message !== undefined && { message }),
    lastPhaseTransitionTime: known === wanted ? volume.status?.lastPhaseTransitionTime : now,
  };
  return [{ do: "updateStatus", kind: PersistentVolume, object: { ...volume, status } as PersistentVolume }];
}

/** Its claim is gone. Whoever made the volume deletes it, where that is wanted; nobody does so for one made by hand. */
function release(volume: Volume, now: string): Intent[] {
  const known = volume.status?.phase;
  if (known === "Failed") return [];
  if (known !== "Released") return phase(volume, "Released", now);
  const policy = volume.spec?.persistentVolumeReclaimPolicy;
  const isForeign = volume.metadata?.annotations?.[PROVISIONED_BY] || volume.spec?.csi;
  if (policy === "Retain" || (policy === "Delete" && isForeign)) return [];
  const message = policy === "Recycle" ? "No recycler plugin found for the volume!" : undeletable(volume);
  const reason = policy === "Recycle" ? "VolumeFailedRecycle" : "VolumeFailedDelete";
  return [...phase(volume, "Failed", now, message), { do: "event", about: volume, type: "Warning", reason, message }];
}

function undeletable({ metadata, spec }: Volume): string {
  if (spec?.hostPath) return `host_path deleter only supports /tmp/.+ but received provided ${spec.hostPath.path}`;
  const name = JSON.stringify(metadata?.name);
  return `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`;
}

function letGo(volume: Volume): Intent {
  const { [BOUND_BY_CONTROLLER]: _, ...annotations } = volume.metadata?.annotations ?? {};
  const { claimRef: __, ...spec } = volume.spec ?? {};
  const object = { ...volume, metadata: { ...volume.metadata, annotations }, spec };
  return { do: "update", kind: PersistentVolume, object: object as PersistentVolume };
}
