import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateAttachment, validateAttachmentUpdate } from "../validation/csi.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/ */
export type VolumeAttachment = Schemas["io.k8s.api.storage.v1.VolumeAttachment"];
export const VolumeAttachment = defineKind({
  schema: "io.k8s.api.storage.v1.VolumeAttachment",
  validate: validateAttachment,
  validateUpdate: validateAttachmentUpdate,
});
