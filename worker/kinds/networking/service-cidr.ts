import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateServiceCidr, validateServiceCidrUpdate } from "../validation/service-range.ts";

/** https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/ */
export type ServiceCIDR = Schemas["io.k8s.api.networking.v1.ServiceCIDR"];
export const ServiceCIDR = defineKind({
  schema: "io.k8s.api.networking.v1.ServiceCIDR",
  // Upstream lets a new one keep the status that it came with.
  statusOnCreate: true,
  validate: () => [],
  validateCreate: validateServiceCidr,
  validateUpdate: (range, old, subresource) => (subresource ? [] : validateServiceCidrUpdate(range, old)),
  columns: [
    nameColumn,
    { name: "CIDRs", type: "string", value: ({ spec }) => (spec?.cidrs ?? []).join(",") },
    ageColumn,
  ],
});
