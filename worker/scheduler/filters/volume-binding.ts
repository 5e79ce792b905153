import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { type Filter, refuseFinally } from "../framework.ts";
import { claimNames, claimsOf, isReachable, offers } from "../volumes.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#node-affinity */
export const volumeBinding: Filter = {
  name: "VolumeBinding",
  judge({ pod }, { view }) {
    if (claimNames(pod).length === 0) return undefined;
    const claims = claimsOf(view, pod);
    if ("problem" in claims) return () => refuseFinally(claims.problem);
    const volumes = claims.bound.map(({ spec }) => view.get(PersistentVolume, "", spec?.volumeName ?? ""));
    return (node) => {
      if (!volumes.every((volume) => volume && isReachable(volume, node)))
        return refuseFinally("node(s) didn't match PersistentVolume's node affinity");
      if (claims.late.length > 0 && !offers(view, claims.late, node))
        return refuseFinally("node(s) didn't find available persistent volumes to bind");
      return true;
    };
  },
};
