import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
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
  *warnings({ spec }, old) {
    const changed = !old || !same(spec?.tokenRequests ?? [], old.spec?.tokenRequests ?? []);
    if (changed && spec?.tokenRequests?.length && spec.serviceAccountTokenInSecrets === undefined)
      yield "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";
  },
  columns: [
    nameColumn,
    { name: "AttachRequired", type: "boolean", value: ({ spec }) => spec?.attachRequired ?? true },
    { name: "PodInfoOnMount", type: "boolean", value: ({ spec }) => spec?.podInfoOnMount ?? false },
    { name: "StorageCapacity", type: "boolean", value: ({ spec }) => spec?.storageCapacity ?? false },
    {
      name: "TokenRequests",
      type: "string",
      value: ({ spec }) => (spec?.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>",
    },
    { name: "RequiresRepublish", type: "boolean", value: ({ spec }) => spec?.requiresRepublish ?? false },
    { name: "Modes", type: "string", value: ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(",") },
    ageColumn,
  ],
  validate: validateCsiDriver,
  validateUpdate: validateCsiDriverUpdate,
});
