import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

/** https://kubernetes.io/docs/concepts/security/service-accounts/ */
export type ServiceAccount = Schemas["io.k8s.api.core.v1.ServiceAccount"];
export const ServiceAccount = defineKind({
  schema: "io.k8s.api.core.v1.ServiceAccount",
  /** Of what it names, only names are kept. */
  default(account) {
    if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name ? { name } : {}));
  },
  *warnings({ metadata }, old) {
    const key = "kubernetes.io/enforce-mountable-secrets";
    if (metadata?.annotations?.[key] !== undefined && old?.metadata?.annotations?.[key] === undefined)
      yield `metadata.annotations[${key}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`;
  },
  columns: [nameColumn, ageColumn],
});
