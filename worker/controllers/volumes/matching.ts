import type { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import type { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { StorageClass } from "../../kinds/storage/storage-class.ts";
import { compareQuantities, parseQuantity, type Quantity } from "../../lib/quantity.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import type { View } from "../controller.ts";

export type Volume = Readonly<PersistentVolume>;
export type Claim = Readonly<PersistentVolumeClaim>;

const CLASS = "volume.beta.kubernetes.io/storage-class";

/** The class that a claim or a volume is of; "" is none. The annotation is older and still wins. */
export const classOf = ({ metadata, spec }: Claim | Volume): string =>
  metadata?.annotations?.[CLASS] ?? spec?.storageClassName ?? "";

export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";

export const isBound = ({ metadata, spec }: Claim): boolean =>
  Boolean(metadata?.annotations?.[BIND_COMPLETED] && spec?.volumeName);

/** Its class binds claims when a pod that uses them gets a node. */
export const bindsLate = (view: View, claim: Claim): boolean =>
  view.get(StorageClass, "", classOf(claim))?.volumeBindingMode === "WaitForFirstConsumer";

/** True when the volume is kept for this claim, by its uid where it says one. */
export function isFor({ spec }: Volume, { metadata }: Claim): boolean {
  const reference = spec?.claimRef;
  if (reference?.namespace !== metadata?.namespace || reference?.name !== metadata?.name) return false;
  return !reference?.uid || reference.uid === metadata?.uid;
}

const storage = (list: Record<string, string | number> | undefined): Quantity => parseQuantity(`${list?.storage ?? 0}`);

/** The volume that is kept for the claim, else the smallest free one that does; those kept for others never. */
export function matchFor(claim: Claim, volumes: Iterable<Volume>): Volume | undefined {
  const candidates = [...volumes].filter((volume) => suits(volume, claim));
  const kept = candidates.find((volume) => volume.spec?.claimRef);
  const bySize = (a: Volume, b: Volume) => compareQuantities(storage(a.spec?.capacity), storage(b.spec?.capacity));
  return kept ?? candidates.filter((volume) => isFree(volume, claim)).toSorted(bySize)[0];
}

function suits(volume: Volume, claim: Claim): boolean {
  if (volume.metadata?.deletionTimestamp || (volume.spec?.claimRef && !isFor(volume, claim))) return false;
  if (compareQuantities(storage(volume.spec?.capacity), storage(claim.spec?.resources?.requests)) < 0) return false;
  if (modeOf(volume) !== modeOf(claim)) return false;
  return (volume.spec?.volumeAttributesClassName ?? "") === (claim.spec?.volumeAttributesClassName ?? "");
}

/** Why a volume that a claim names is not one for it. */
export function mismatchOf(volume: Volume, claim: Claim): string | undefined {
  if (compareQuantities(storage(volume.spec?.capacity), storage(claim.spec?.resources?.requests)) < 0)
    return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  const attributes = ({ spec }: Claim | Volume) => spec?.volumeAttributesClassName ?? "";
  if (attributes(volume) !== attributes(claim)) return "volumeAttributesClassName does not match";
  if (modeOf(volume) !== modeOf(claim)) return "incompatible volumeMode";
  return hasModes(volume, claim) ? undefined : "incompatible accessMode";
}

const modeOf = ({ spec }: Claim | Volume): string => spec?.volumeMode ?? "Filesystem";

function hasModes({ spec }: Volume, claim: Claim): boolean {
  const modes = spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode));
}

function isFree(volume: Volume, claim: Claim): boolean {
  if (volume.status?.phase !== "Available" || classOf(volume) !== classOf(claim)) return false;
  if (claim.spec?.selector && !matchesSelector(claim.spec.selector, volume.metadata?.labels)) return false;
  return hasModes(volume, claim);
}

/** The volume is now this claim's; noted whether a user or this controller said so. */
export function keptFor(volume: Volume, claim: Claim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata ?? {};
  const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion };
  const byUser = volume.spec?.claimRef !== undefined;
  const annotations = { ...volume.metadata?.annotations, ...(!byUser && { [BOUND_BY_CONTROLLER]: "yes" }) };
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...volume.spec, claimRef },
  } as PersistentVolume;
}
