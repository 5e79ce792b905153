import { canonicalizeResources } from "../../lib/quantity.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1PersistentVolumeClaim, Schemas } from "../generated/types.ts";
import { validateClaim, validateClaimStatus, validateClaimUpdate } from "../validation/claims.ts";
import { accessModes } from "./access-modes.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims */
export type PersistentVolumeClaim = Schemas["io.k8s.api.core.v1.PersistentVolumeClaim"];
export const PersistentVolumeClaim = defineKind({
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  default(claim) {
    if (claim.spec) {
      claim.spec.volumeMode ||= "Filesystem";
      canonicalizeResources(claim.spec.resources?.requests);
      canonicalizeResources(claim.spec.resources?.limits);
    }
    claim.status ??= {};
    claim.status.phase ||= "Pending";
    canonicalizeResources(claim.status.capacity);
  },
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
  },
  validate: ({ spec }) => validateClaim(spec, "spec"),
  validateUpdate: (claim, old, subresource) => (subresource ? [] : validateClaimUpdate(claim, old)),
  columns: [
    nameColumn,
    { name: "Status", type: "string", value: phase },
    { name: "Volume", type: "string", value: ({ spec }) => spec?.volumeName ?? "" },
    {
      name: "Capacity",
      type: "string",
      value: ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.storage ?? "0") : ""),
    },
    {
      name: "Access Modes",
      type: "string",
      value: ({ spec, status }) => (spec?.volumeName ? accessModes(status?.accessModes) : ""),
    },
    { name: "StorageClass", type: "string", value: ({ spec }) => spec?.storageClassName ?? "" },
    {
      name: "VolumeAttributesClass",
      type: "string",
      value: ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>",
    },
    ageColumn,
    { name: "VolumeMode", type: "string", priority: 1, value: ({ spec }) => spec?.volumeMode ?? "<unset>" },
  ],
});

function phase({ metadata, status }: CoreV1PersistentVolumeClaim): string {
  return metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? "");
}
