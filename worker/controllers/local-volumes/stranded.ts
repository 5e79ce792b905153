import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodActive } from "../../kinds/core/pod-conditions.ts";
import { DEFAULT_SCHEDULER } from "../../kinds/core/pod-defaults.ts";
import type { CoreV1Pod } from "../../kinds/generated/types.ts";
import { isProvisioned, MOVE_TO, VOLUME_NODE } from "../../lib/local-volumes.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { normal } from "../events.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { controllerOf } from "../owners.ts";
import { disrupted } from "../pods.ts";
import { removal } from "../removal.ts";

type Templated = KubeObject & { spec?: { template?: { spec?: Partial<CoreV1Pod["spec"]> } } };

const wishOf = ({ metadata }: KubeObject) => metadata?.annotations?.[MOVE_TO];

/**
 * Deletes pods that were placed where a volume was to be, when it is not to come there after all: a pod cannot leave its
 * node, and its controller makes another, which is placed where the volume is.
 */
export const strandedPods: Controller = {
  name: "skerry.dev/stranded-pods",
  watches: [
    watch(Pod, function* (pod, old, _view, type) {
      if (type !== "DELETED" && pod.spec.nodeName !== old?.spec.nodeName && podClaims(pod).length > 0) yield keyOf(pod);
    }),
    watch(PersistentVolume, function* (volume, old, view, type) {
      if (!isProvisioned(volume) || !old || (type === "MODIFIED" && wishOf(volume) === wishOf(old))) return;
      const { namespace, name } = volume.spec?.claimRef ?? {};
      for (const pod of view.list(Pod, namespace))
        if (podClaims(pod).some(({ claim }) => claim === name)) yield keyOf(pod);
    }),
  ],
  reconcile(view, key, { now }) {
    const pod = view.get(Pod, ...splitKey(key));
    // Who has started has its volumes.
    if (!pod?.spec.nodeName || !isPodActive(pod) || pod.status?.phase === "Running") return [];
    const volume = podClaims(pod).flatMap(({ claim }) => absent(view, pod, claim))[0];
    return volume && mayGoElsewhere(view, pod) ? evict(pod, volume, now) : [];
  },
};

/** The volume of a pod's claim, where that is neither on the pod's node nor to come there. */
function absent(view: View, { metadata, spec }: Readonly<Pod>, claim: string): Readonly<PersistentVolume>[] {
  const name = view.get(PersistentVolumeClaim, metadata.namespace ?? "", claim)?.spec?.volumeName;
  const volume = name && view.get(PersistentVolume, "", name);
  if (!volume || !isProvisioned(volume)) return [];
  const place = volume.metadata?.annotations?.[VOLUME_NODE];
  return place && ![place, wishOf(volume)].includes(spec.nodeName) ? [volume] : [];
}

/** Another would be made, and the scheduler choose its node: else it would only be back, or be lost. */
function mayGoElsewhere(view: View, pod: Readonly<Pod>): boolean {
  if ((pod.spec.schedulerName ?? DEFAULT_SCHEDULER) !== DEFAULT_SCHEDULER) return false;
  const { apiVersion = "", kind = "", name = "", uid } = controllerOf(pod) ?? {};
  const found = view.kind(apiVersion, kind);
  const owner = found && (view.get(found, pod.metadata.namespace ?? "", name) as Readonly<Templated> | undefined);
  return owner?.metadata?.uid === uid && owner !== undefined && !owner.spec?.template?.spec?.nodeName;
}

function evict(pod: Readonly<Pod>, { metadata }: Readonly<PersistentVolume>, now: number): Intent[] {
  const why = `volume ${JSON.stringify(metadata?.name)} is not on node ${pod.spec.nodeName}, nor to come there`;
  const status = disrupted(pod, "DeletionByVolumeMove", why, now);
  return [
    normal(pod, "VolumeElsewhere", why),
    { do: "updateStatus", kind: Pod, object: { ...pod, status } as Pod },
    removal(Pod, pod),
  ];
}
