import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateCsiDriver, validateCsiDriverUpdate } from "../validation/csi.ts";

/** https://kubernetes-csi.github.io/docs/csi-driver-object.html */
export type CSIDriver = Schemas["io.k8s.api.storage.v1.CSIDriver"];
export const CSIDriver = defineKind({
  schema: "io.k8s.api.storage.v1.CSIDriver",
  defaults: {
    "spec.attachRequired": true,
    "spec.podInfoOnMount": false,
    "spec.storageCapacity": false,
    "spec.fsGroupPolicy": "ReadWriteOnceWithFSType",
    "spec.requiresRepublish": false,
    "spec.seLinuxMount": false,
  },
  default({ spec }) {
    if (spec && !spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
  },
  validate: validateCsiDriver,
  validateUpdate: validateCsiDriverUpdate,
});
