import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateClaimChange, validateClaimSpec } from "../validation/resource-claim.ts";
import { deviceKey, validateClaimStatus } from "../validation/resource-claim-status.ts";
import { defaultRequests, dropDisabledRequests } from "./requests.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates */
export type ResourceClaim = Schemas["io.k8s.api.resource.v1.ResourceClaim"];

export const ResourceClaim = defineKind({
  schema: "io.k8s.api.resource.v1.ResourceClaim",
  default: ({ spec }) => defaultRequests(spec),
  prepareForCreate: ({ spec }) => dropDisabledRequests(spec),
  prepareForUpdate(claim, old, subresource) {
    if (!subresource) dropDisabledRequests(claim.spec);
    else if (claim.status) settleStatus(claim.status, old.status);
  },
  validateCreate: ({ spec }) => validateClaimSpec(spec, "spec"),
  validate: () => [],
  validateUpdate: (claim, old, subresource) =>
    subresource ? validateClaimStatus(claim, old) : validateClaimChange(claim, old),
  columns: [nameColumn, { name: "State", type: "string", value: state }, ageColumn],
});

/** Shared devices and binding conditions are off by default; a device that is given back has no status. */
function settleStatus(status: NonNullable<ResourceClaim["status"]>, old: ResourceClaim["status"]): void {
  const results = status.allocation?.devices?.results ?? [];
  for (const result of results) {
    delete result.shareID;
    delete result.consumedCapacity;
    delete result.bindingConditions;
    delete result.bindingFailureConditions;
  }
  for (const device of status.devices ?? []) delete device.shareID;
  const given = new Set((old?.allocation?.devices?.results ?? []).map(deviceKey));
  for (const result of results) given.delete(deviceKey(result));
  const kept = status.devices?.filter((device) => !given.has(deviceKey(device)));
  if (kept?.length) status.devices = kept;
  else delete status.devices;
}

function state({ metadata, status }: ResourceClaim): string {
  const isDeleted = Boolean(metadata?.deletionTimestamp);
  if (!status?.allocation) return isDeleted ? "deleted" : "pending";
  return [isDeleted && "deleted", "allocated", status.reservedFor?.length && "reserved"].filter(Boolean).join(",");
}
