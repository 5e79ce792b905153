import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { isProvisioned, PROVISIONER } from "../../lib/local-volumes.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";
import type { Intent, View } from "../controller.ts";
import type { Claim, Volume } from "../volumes/matching.ts";

const size = (amount: string | number | undefined) => parseQuantity(`${amount ?? 0}`);
const isMore = (a: string | number | undefined, b: string | number | undefined) =>
  compareQuantities(size(a), size(b)) > 0;

/** Conditions of a claim that is being resized. */
const RESIZING = ["Resizing", "FileSystemResizePending"];

/**
 * Gives a bound claim the size that it asks for by now. A folder has no size of its own, so it is there at once.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export function resize(view: View, claim: Claim): Intent[] {
  const { spec, status } = claim;
  const volume = view.get(PersistentVolume, "", spec?.volumeName ?? "");
  if (!volume || !isProvisioned(volume) || status?.phase !== "Bound") return [];
  if (volume.spec?.claimRef?.uid !== claim.metadata?.uid) return [];
  const wanted = spec?.resources?.requests?.storage;
  const capacity = volume.spec?.capacity?.storage;
  if (isMore(wanted, capacity)) return grown(volume, claim, `${wanted}`);
  return isMore(capacity, status.capacity?.storage) ? told(claim, `${capacity}`) : [];
}

const event = (about: Claim, reason: string, message: string): Intent => ({
  do: "event",
  about,
  type: "Normal",
  reason,
  message,
});

function grown(volume: Volume, claim: Claim, storage: string): Intent[] {
  const spec = { ...volume.spec, capacity: { ...volume.spec?.capacity, storage } };
  const message = `External resizer ${PROVISIONER} is resizing volume ${volume.metadata?.name}`;
  return [
    event(claim, "Resizing", message),
    { do: "update", kind: PersistentVolume, object: { ...volume, spec } as PersistentVolume },
  ];
}

function told(claim: Claim, storage: string): Intent[] {
  const { conditions, allocatedResourceStatuses: _, ...rest } = claim.status ?? {};
  const others = conditions?.filter(({ type }) => !RESIZING.includes(type));
  const status = {
    ...rest,
    capacity: { ...rest.capacity, storage },
    allocatedResources: { ...rest.allocatedResources, storage },
    ...(others?.length && { conditions: others }),
  };
  return [
    { do: "updateStatus", kind: PersistentVolumeClaim, object: { ...claim, status } as PersistentVolumeClaim },
    event(claim, "VolumeResizeSuccessful", "Resize volume succeeded"),
  ];
}
