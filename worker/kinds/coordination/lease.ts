import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateLease } from "../validation/lease.ts";

/** https://kubernetes.io/docs/concepts/architecture/leases/ */
export type Lease = Schemas["io.k8s.api.coordination.v1.Lease"];
export const Lease = defineKind({
  schema: "io.k8s.api.coordination.v1.Lease",
  prepareForCreate: ({ spec }) => dropDisabled(spec),
  prepareForUpdate: ({ spec }, old) => dropDisabled(spec, old.spec),
  validate: validateLease,
  columns: [nameColumn, { name: "Holder", type: "string", value: ({ spec }) => spec?.holderIdentity ?? "" }, ageColumn],
});

/** Elections that someone else decides are off by default. */
function dropDisabled(spec: Lease["spec"], old?: Lease["spec"]): void {
  for (const name of ["strategy", "preferredHolder"] as const)
    if (spec && (old?.[name] ?? undefined) === undefined) delete spec[name];
}
