import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateStorageClass, validateStorageClassUpdate } from "../validation/storage-class.ts";

/** https://kubernetes.io/docs/concepts/storage/storage-classes/ */
export type StorageClass = Schemas["io.k8s.api.storage.v1.StorageClass"];

export const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

export const StorageClass = defineKind({
  schema: "io.k8s.api.storage.v1.StorageClass",
  defaults: { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
  validate: validateStorageClass,
  validateUpdate: validateStorageClassUpdate,
  columns: [
    {
      ...nameColumn,
      value({ metadata }) {
        const isDefault = metadata?.annotations?.[DEFAULT_CLASS] === "true";
        return isDefault ? `${metadata?.name} (default)` : (metadata?.name ?? "");
      },
    },
    { name: "Provisioner", type: "string", value: ({ provisioner }) => provisioner ?? "" },
    { name: "ReclaimPolicy", type: "string", value: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete" },
    { name: "VolumeBindingMode", type: "string", value: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate" },
    {
      name: "AllowVolumeExpansion",
      type: "string",
      value: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
});
