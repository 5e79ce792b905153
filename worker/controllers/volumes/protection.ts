import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import type { Kind } from "../../kinds/kind.ts";
import { VolumeAttributesClass } from "../../kinds/storage/volume-attributes-class.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";

const CLAIM_FINALIZER = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER = "kubernetes.io/pv-protection";
const ATTRIBUTES_FINALIZER = "kubernetes.io/vac-protection";

const claimsOf = (pod: Readonly<Pod>): string[] => podClaims(pod).map(({ claim }) => claim);

/** A pod that was never placed, or has ended, has nothing mounted. */
const inUse = (view: View, namespace: string, claim: string): boolean =>
  view.list(Pod, namespace).some((pod) => pod.spec.nodeName && !isPodTerminal(pod) && claimsOf(pod).includes(claim));

function released(kind: Kind, object: Readonly<KubeObject>, finalizer: string): Intent[] {
  const { finalizers = [] } = object.metadata ?? {};
  if (!finalizers.includes(finalizer)) return [];
  const left = finalizers.filter((other) => other !== finalizer);
  return [{ do: "update", kind, object: { ...object, metadata: { ...object.metadata, finalizers: left } } }];
}

/**
 * Lets a deleted claim go once no pod uses it.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
export const claimProtectionController: Controller = {
  name: "pvc-protection-controller",
  watches: [
    watch(PersistentVolumeClaim, function* (claim, _old, _view, type) {
      if (type !== "DELETED" && claim.metadata?.deletionTimestamp) yield keyOf(claim);
    }),
    watch(Pod, function* (pod, _old, _view, type) {
      if (type === "DELETED" || isPodTerminal(pod))
        for (const claim of claimsOf(pod)) yield `${pod.metadata.namespace}/${claim}`;
    }),
  ],
  reconcile(view, key) {
    const [namespace, name] = splitKey(key);
    const claim = view.get(PersistentVolumeClaim, namespace, name);
    if (!claim?.metadata?.deletionTimestamp || inUse(view, namespace, name)) return [];
    return released(PersistentVolumeClaim, claim, CLAIM_FINALIZER);
  },
};

/** Lets a deleted volume go once no claim is bound to it. */
export const volumeProtectionController: Controller = {
  name: "pv-protection-controller",
  watches: [
    watch(PersistentVolume, function* (volume, _old, _view, type) {
      if (type !== "DELETED" && volume.metadata.deletionTimestamp) yield keyOf(volume);
    }),
  ],
  reconcile(view, key) {
    const volume = view.get(PersistentVolume, ...splitKey(key));
    if (!volume?.metadata.deletionTimestamp || volume.status?.phase === "Bound") return [];
    return released(PersistentVolume, volume, VOLUME_FINALIZER);
  },
};

const attributesOf = ({ spec, status }: Readonly<PersistentVolumeClaim>): (string | undefined)[] => [
  spec?.volumeAttributesClassName,
  status?.currentVolumeAttributesClassName,
  status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
];

/** Lets a deleted class of attributes go once no volume has them or is to have them. */
export const attributesProtectionController: Controller = {
  name: "volumeattributesclass-protection-controller",
  watches: [
    watch(VolumeAttributesClass, function* (attributes, _old, _view, type) {
      if (type !== "DELETED" && attributes.metadata?.deletionTimestamp) yield keyOf(attributes);
    }),
    watch(PersistentVolumeClaim, function* (claim, old) {
      for (const name of new Set([...attributesOf(claim), ...(old ? attributesOf(old) : [])]))
        if (name) yield `/${name}`;
    }),
    watch(PersistentVolume, function* (volume, old) {
      for (const body of [volume, old])
        if (body?.spec?.volumeAttributesClassName) yield `/${body.spec.volumeAttributesClassName}`;
    }),
  ],
  reconcile(view, key) {
    const [, name] = splitKey(key);
    const attributes = view.get(VolumeAttributesClass, "", name);
    if (!attributes?.metadata?.deletionTimestamp) return [];
    if (view.list(PersistentVolumeClaim).some((claim) => attributesOf(claim).includes(name))) return [];
    if (view.list(PersistentVolume).some(({ spec }) => spec?.volumeAttributesClassName === name)) return [];
    return released(VolumeAttributesClass, attributes, ATTRIBUTES_FINALIZER);
  },
};
