import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateLease } from "../validation/lease.ts";

/** https://kubernetes.io/docs/concepts/architecture/leases/ */
export type Lease = Schemas["io.k8s.api.coordination.v1.Lease"];
export const Lease = defineKind({
  schema: "io.k8s.api.coordination.v1.Lease",
  validate: validateLease,
  columns: [nameColumn, { name: "Holder", type: "string", value: ({ spec }) => spec?.holderIdentity ?? "" }, ageColumn],
});
