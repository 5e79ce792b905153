import { longNameProblems } from "../../lib/names.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateDeviceClass } from "../validation/devices.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#deviceclass */
export type DeviceClass = Schemas["io.k8s.api.resource.v1.DeviceClass"];

export const DeviceClass = defineKind({
  schema: "io.k8s.api.resource.v1.DeviceClass",
  nameProblems: longNameProblems,
  prepareForCreate: dropDisabled,
  prepareForUpdate: dropDisabled,
  validate: validateDeviceClass,
  columns: [nameColumn, ageColumn],
});

/** Devices under the name of an extended resource are off by default. */
function dropDisabled({ spec }: DeviceClass): void {
  delete spec?.extendedResourceName;
}
