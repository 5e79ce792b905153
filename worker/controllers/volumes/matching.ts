import type { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { compareQuantities, parseQuantity, type Quantity } from "../../lib/quantity.ts";
import { matchesSelector } from "../../lib/selectors.ts";

export type Volume = Readonly<PersistentVolume>;
export type Claim = Readonly<PersistentVolumeClaim>;

const CLASS = "volume.beta.kubernetes.io/storage-class";

/** The class that a claim or a volume is of; "" is none. The annotation is older and still wins. */
export const classOf = ({ metadata, spec }: Claim | Volume): string =>
  metadata?.annotations?.[CLASS] ?? spec?.storageClassName ?? "";

/** True when the volume is kept for this claim, by its uid where it says one. */
export function isFor({ spec }: Volume, { metadata }: Claim): boolean {
  const reference = spec?.claimRef;
  if (reference?.namespace !== metadata?.namespace || reference?.name !== metadata?.name) return false;
  return !reference?.uid || reference.uid === metadata?.uid;
}

const storage = (list: Record<string, string | number> | undefined): Quantity => parseQuantity(`${list?.storage ?? 0}`);

/** The volume that is kept for the claim, else the smallest free one that does; those kept for others never. */
export function matchFor(claim: Claim, volumes: readonly Volume[]): Volume | undefined {
  const candidates = volumes.filter((volume) => suits(volume, claim));
  const kept = candidates.find((volume) => volume.spec?.claimRef);
  const bySize = (a: Volume, b: Volume) => compareQuantities(storage(a.spec?.capacity), storage(b.spec?.capacity));
  return kept ?? candidates.filter((volume) => isFree(volume, claim)).toSorted(bySize)[0];
}

function suits(volume: Volume, claim: Claim): boolean {
  if (volume.metadata?.deletionTimestamp || (volume.spec?.claimRef && !isFor(volume, claim))) return false;
  if (compareQuantities(storage(volume.spec?.capacity), storage(claim.spec?.resources?.requests)) < 0) return false;
  if ((volume.spec?.volumeMode ?? "Filesystem") !== (claim.spec?.volumeMode ?? "Filesystem")) return false;
  return (volume.spec?.volumeAttributesClassName ?? "") === (claim.spec?.volumeAttributesClassName ?? "");
}

function isFree(volume: Volume, claim: Claim): boolean {
  if (volume.status?.phase !== "Available" || classOf(volume) !== classOf(claim)) return false;
  if (claim.spec?.selector && !matchesSelector(claim.spec.selector, volume.metadata?.labels)) return false;
  const modes = volume.spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode));
}
