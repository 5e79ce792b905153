import { canonicalizeResources } from "../../lib/quantity.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1PersistentVolume, Schemas } from "../generated/types.ts";
import { persistentVolumeWarnings, validateVolume, validateVolumeUpdate } from "../validation/persistent-volumes.ts";
import { accessModes } from "./access-modes.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/ */
export type PersistentVolume = Schemas["io.k8s.api.core.v1.PersistentVolume"];
export const PersistentVolume = defineKind({
  schema: "io.k8s.api.core.v1.PersistentVolume",
  defaults: {
    "spec.persistentVolumeReclaimPolicy": "Retain",
    "spec.volumeMode": "Filesystem",
    "spec.hostPath.type": "",
  },
  default(volume) {
    canonicalizeResources(volume.spec?.capacity);
    volume.status ??= {};
    volume.status.phase ||= "Pending";
  },
  prepareForCreate(volume) {
    const created = volume.metadata?.creationTimestamp;
    volume.status = { phase: "Pending", ...(created && { lastPhaseTransitionTime: created }) };
  },
  *warnings({ metadata, spec }, _, subresource) {
    if (!subresource) yield* persistentVolumeWarnings(metadata, spec);
  },
  validate: validateVolume,
  judgedTwice: true,
  validateUpdate: (volume, old, subresource) => (subresource ? [] : validateVolumeUpdate(volume, old)),
  columns: [
    nameColumn,
    { name: "Capacity", type: "string", value: ({ spec }) => spec?.capacity?.storage ?? "0" },
    { name: "Access Modes", type: "string", value: ({ spec }) => accessModes(spec?.accessModes) },
    { name: "Reclaim Policy", type: "string", value: ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? "" },
    { name: "Status", type: "string", value: phase },
    { name: "Claim", type: "string", value: claim },
    { name: "StorageClass", type: "string", value: ({ spec }) => spec?.storageClassName ?? "" },
    {
      name: "VolumeAttributesClass",
      type: "string",
      value: ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>",
    },
    { name: "Reason", type: "string", value: ({ status }) => status?.reason ?? "" },
    ageColumn,
    { name: "VolumeMode", type: "string", priority: 1, value: ({ spec }) => spec?.volumeMode ?? "<unset>" },
  ],
});

function phase({ metadata, status }: CoreV1PersistentVolume): string {
  return metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? "");
}

function claim({ spec }: CoreV1PersistentVolume): string {
  return spec?.claimRef ? `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}` : "";
}
