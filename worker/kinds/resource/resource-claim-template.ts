import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateTemplate, validateTemplateChange } from "../validation/resource-claim.ts";
import { defaultRequests, dropDisabledRequests } from "./requests.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates */
export type ResourceClaimTemplate = Schemas["io.k8s.api.resource.v1.ResourceClaimTemplate"];

export const ResourceClaimTemplate = defineKind({
  schema: "io.k8s.api.resource.v1.ResourceClaimTemplate",
  default: ({ spec }) => defaultRequests(spec?.spec),
  prepareForCreate: ({ spec }) => dropDisabledRequests(spec?.spec),
  prepareForUpdate: ({ spec }) => dropDisabledRequests(spec?.spec),
  validate: validateTemplate,
  validateUpdate: validateTemplateChange,
  columns: [nameColumn, ageColumn],
});
