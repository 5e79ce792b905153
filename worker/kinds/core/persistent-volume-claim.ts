import { canonicalizeResources } from "../../lib/quantity.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1PersistentVolumeClaim, Schemas } from "../generated/types.ts";
import { CLASS_ANNOTATION, validateClaim, validateClaimStatus, validateClaimUpdate } from "../validation/claims.ts";
import { claimWarnings } from "../validation/volume-warnings.ts";
import { accessModes } from "./access-modes.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims */
export type PersistentVolumeClaim = Schemas["io.k8s.api.core.v1.PersistentVolumeClaim"];
export const PersistentVolumeClaim = defineKind({
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  default(claim) {
    if (claim.spec) {
      claim.spec.volumeMode ??= "Filesystem";
      canonicalizeResources(claim.spec.resources?.requests);
      canonicalizeResources(claim.spec.resources?.limits);
    }
    claim.status ??= {};
    claim.status.phase ||= "Pending";
    canonicalizeResources(claim.status.capacity);
  },
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
    if (claim.spec) settleSource(claim.spec);
  },
  prepareForUpdate(claim, old, subresource) {
    if (claim.spec && !subresource) settleSource(claim.spec, old.spec);
  },
  *warnings({ metadata, spec }, _, subresource) {
    if (subresource) return;
    if (metadata?.annotations?.[CLASS_ANNOTATION] !== undefined)
      yield `metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`;
    yield* claimWarnings(spec, "spec");
  },
  validate: ({ spec }) => validateClaim(spec, "spec"),
  validateUpdate: (claim, old, subresource) =>
    subresource ? validateClaimStatus(claim) : validateClaimUpdate(claim, old),
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

type Spec = NonNullable<CoreV1PersistentVolumeClaim["spec"]>;

/** Both fields say the same; what is neither a claim nor a snapshot must be said in the newer one. */
function settleSource(spec: Spec, old?: Spec): void {
  // Sources in other namespaces are off by default.
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef;
  if (spec.dataSource && !spec.dataSourceRef && !old?.dataSource && !isLongKnown(spec.dataSource))
    delete spec.dataSource;
  if (spec.dataSource) spec.dataSourceRef ??= { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef;
    spec.dataSource = source;
  }
}

const isLongKnown = ({ kind, apiGroup }: NonNullable<Spec["dataSource"]>): boolean =>
  apiGroup ? kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io" : kind === "PersistentVolumeClaim";

function phase({ metadata, status }: CoreV1PersistentVolumeClaim): string {
  return metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? "");
}
