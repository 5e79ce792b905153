import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import type { Controller, Intent } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { controllerOf, controllerRef } from "../owners.ts";

/**
 * Makes the claims of volumes that live as long as their pod.
 * https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
 */
export const ephemeralVolumeController: Controller = {
  name: "ephemeral-volume-controller",
  watches: [
    watch(Pod, function* (pod, _old, _view, type) {
      if (type !== "DELETED" && pod.spec.volumes?.some(({ ephemeral }) => ephemeral)) yield keyOf(pod);
    }),
    // A claim of the name that stood in the way may be gone.
    watch(PersistentVolumeClaim, function* ({ metadata }, _old, view, type) {
      if (type !== "DELETED") return;
      for (const pod of view.list(Pod, metadata?.namespace ?? ""))
        if (podClaims(pod).some(({ claim, isEphemeral }) => isEphemeral && claim === metadata?.name)) yield keyOf(pod);
    }),
  ],
  reconcile(view, key) {
    const [namespace, podName] = splitKey(key);
    const pod = view.get(Pod, namespace, podName);
    if (!pod || pod.metadata.deletionTimestamp || isPodTerminal(pod)) return [];
    return (pod.spec.volumes ?? []).flatMap((volume): Intent[] => {
      const template = volume.ephemeral?.volumeClaimTemplate;
      if (!template) return [];
      const name = `${podName}-${volume.name}`;
      const known = view.get(PersistentVolumeClaim, namespace, name);
      if (known && controllerOf(known)?.uid === pod.metadata.uid) return [];
      if (known) {
        const message = `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
        return [{ do: "event", about: pod, type: "Warning", reason: "ClaimNotOwned", message }];
      }
      const { labels, annotations } = template.metadata ?? {};
      const metadata = { namespace, name, labels, annotations, ownerReferences: [controllerRef(Pod, pod)] };
      return [
        {
          do: "create",
          kind: PersistentVolumeClaim,
          object: { metadata, spec: template.spec } as PersistentVolumeClaim,
        },
      ];
    });
  },
};
