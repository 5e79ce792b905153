import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

/** https://kubernetes.io/docs/concepts/security/service-accounts/ */
export type ServiceAccount = Schemas["io.k8s.api.core.v1.ServiceAccount"];
export const ServiceAccount = defineKind({
  schema: "io.k8s.api.core.v1.ServiceAccount",
  columns: [nameColumn, ageColumn],
});
