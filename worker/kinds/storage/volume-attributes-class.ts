import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateAttributesClass, validateAttributesClassUpdate } from "../validation/classes.ts";

/** https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/ */
export type VolumeAttributesClass = Schemas["io.k8s.api.storage.v1.VolumeAttributesClass"];
export const VolumeAttributesClass = defineKind({
  schema: "io.k8s.api.storage.v1.VolumeAttributesClass",
  changesFirst: true,
  validate: validateAttributesClass,
  validateUpdate: validateAttributesClassUpdate,
});
