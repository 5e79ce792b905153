import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateAttachment, validateAttachmentUpdate, validateNewAttachment } from "../validation/csi.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/ */
export type VolumeAttachment = Schemas["io.k8s.api.storage.v1.VolumeAttachment"];
export const VolumeAttachment = defineKind({
  schema: "io.k8s.api.storage.v1.VolumeAttachment",
  validate: validateAttachment,
  validateCreate: validateNewAttachment,
  validateUpdate: validateAttachmentUpdate,
  columns: [
    nameColumn,
    { name: "Attacher", type: "string", format: "name", value: ({ spec }) => spec?.attacher ?? "" },
    { name: "PV", type: "string", value: ({ spec }) => spec?.source?.persistentVolumeName ?? "" },
    { name: "Node", type: "string", value: ({ spec }) => spec?.nodeName ?? "" },
    { name: "Attached", type: "boolean", value: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
});
