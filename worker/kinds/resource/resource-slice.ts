import { formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { sliceWarnings, validateSlice } from "../validation/resource-slice.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceslice */
export type ResourceSlice = Schemas["io.k8s.api.resource.v1.ResourceSlice"];

export const ResourceSlice = defineKind({
  schema: "io.k8s.api.resource.v1.ResourceSlice",
  default({ spec }) {
    for (const { capacity } of spec?.devices ?? [])
      for (const amount of Object.values(capacity ?? {}))
        amount.value = formatQuantity(parseQuantity(String(amount.value ?? 0)));
  },
  prepareForCreate: dropDisabled,
  prepareForUpdate: dropDisabled,
  validateCreate: (slice) => validateSlice(slice),
  validate: () => [],
  validateUpdate: validateSlice,
  warnings: sliceWarnings,
  columns: [
    nameColumn,
    { name: "Node", type: "string", value: ({ spec }) => spec.nodeName ?? "" },
    { name: "Driver", type: "string", value: ({ spec }) => spec.driver },
    { name: "Pool", type: "string", value: ({ spec }) => spec.pool.name },
    ageColumn,
  ],
});

/** Taints, parts of devices, devices that are shared and binding conditions are off by default. */
function dropDisabled({ spec }: ResourceSlice): void {
  delete spec.sharedCounters;
  delete spec.perDeviceNodeSelection;
  for (const device of spec.devices ?? []) {
    delete device.taints;
    delete device.consumesCounters;
    delete device.nodeName;
    delete device.nodeSelector;
    delete device.allNodes;
    delete device.bindingConditions;
    delete device.bindingFailureConditions;
    delete device.bindsToNode;
    delete device.allowMultipleAllocations;
    for (const capacity of Object.values(device.capacity ?? {})) delete capacity.requestPolicy;
  }
}
