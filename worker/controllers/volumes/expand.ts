import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { same } from "../../kinds/paths.ts";
import { isProvisioned } from "../../lib/local-volumes.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";
import type { Controller } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";

const size = (amount: string | number | undefined) => parseQuantity(`${amount ?? 0}`);

/**
 * Tells of claims that ask for more that whoever made their volumes has to give it to them.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export const volumeExpandController: Controller = {
  name: "volume_expand",
  watches: [
    watch(PersistentVolumeClaim, function* (claim, old, _view, type) {
      if (type === "MODIFIED" && !same(claim.spec?.resources, old?.spec?.resources)) yield keyOf(claim);
    }),
  ],
  reconcile(view, key) {
    const claim = view.get(PersistentVolumeClaim, ...splitKey(key));
    const volume = view.get(PersistentVolume, "", claim?.spec?.volumeName ?? "");
    if (!claim || !volume || isProvisioned(volume) || volume.spec?.claimRef?.uid !== claim.metadata?.uid) return [];
    const { storage: wanted } = claim.spec?.resources?.requests ?? {};
    if (compareQuantities(size(wanted), size(claim.status?.capacity?.storage)) <= 0) return [];
    const message = "waiting for an external controller to expand this PVC";
    return [{ do: "event", about: claim, type: "Normal", reason: "ExternalExpanding", message }];
  },
};
