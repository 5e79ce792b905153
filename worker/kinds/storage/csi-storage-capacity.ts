import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateCapacity } from "../validation/csi.ts";

/** https://kubernetes.io/docs/concepts/storage/storage-capacity/ */
export type CSIStorageCapacity = Schemas["io.k8s.api.storage.v1.CSIStorageCapacity"];
export const CSIStorageCapacity = defineKind({
  schema: "io.k8s.api.storage.v1.CSIStorageCapacity",
  immutable: ["nodeTopology", "storageClassName"],
  validate: validateCapacity,
});
