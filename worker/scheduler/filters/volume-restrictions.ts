import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { type Filter, refuse } from "../framework.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes */
export const volumeRestrictions: Filter = {
  name: "VolumeRestrictions",
  judge({ pod, namespace }, { view, snapshot }) {
    const alone = podClaims(pod).filter(({ claim, isEphemeral }) => {
      if (isEphemeral) return false; // it is the pod's own
      const modes = view.get(PersistentVolumeClaim, namespace, claim)?.spec?.accessModes;
      return modes?.includes("ReadWriteOncePod");
    });
    if (alone.length === 0) return undefined;
    let isTaken = false;
    snapshot.visit(
      (other) => other.namespace === namespace && alone.some(({ claim }) => other.claims.includes(claim)),
      () => {
        isTaken = true;
      },
    );
    // Wherever that other pod is; a more important one may make it leave.
    if (!isTaken) return undefined;
    return () => refuse("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");
  },
};
