import { formatSelector } from "../../lib/selectors.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { networkPolicyWarnings, validateNetworkPolicy } from "../validation/network-policy.ts";

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
export type NetworkPolicy = Schemas["io.k8s.api.networking.v1.NetworkPolicy"];
export const NetworkPolicy = defineKind({
  schema: "io.k8s.api.networking.v1.NetworkPolicy",
  default({ spec }) {
    if (!spec) return;
    for (const port of [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap((rule) => rule.ports ?? []))
      port.protocol ??= "TCP";
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: validateNetworkPolicy,
  judgedTwice: true,
  warnings: networkPolicyWarnings,
  columns: [
    nameColumn,
    { name: "Pod-Selector", type: "string", value: ({ spec }) => formatSelector(spec?.podSelector) || "<none>" },
    ageColumn,
  ],
});
