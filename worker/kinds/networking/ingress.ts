import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { NetworkingV1Ingress, Schemas } from "../generated/types.ts";
import { ingressWarnings, validateBalancer, validateIngress, validateNewIngress } from "../validation/ingress.ts";

/** https://kubernetes.io/docs/concepts/services-networking/ingress/ */
export type Ingress = Schemas["io.k8s.api.networking.v1.Ingress"];
export const Ingress = defineKind({
  schema: "io.k8s.api.networking.v1.Ingress",
  validate: validateIngress,
  validateCreate: validateNewIngress,
  validateUpdate: ({ status }, _, subresource) =>
    subresource ? validateBalancer(status?.loadBalancer?.ingress, "status.loadBalancer.ingress", false) : [],
  *warnings(ingress, old, subresource) {
    if (!old || subresource) yield* ingressWarnings(ingress, !old);
  },
  columns: [
    nameColumn,
    { name: "Class", type: "string", value: ({ spec }) => spec?.ingressClassName ?? "<none>" },
    { name: "Hosts", type: "string", value: hosts },
    { name: "Address", type: "string", value: addresses },
    { name: "Ports", type: "string", value: ({ spec }) => (spec?.tls?.length ? "80, 443" : "80") },
    ageColumn,
  ],
});

const SHOWN = 3;
const ADDRESS_WIDTH = 16;

function hosts({ spec }: NetworkingV1Ingress): string {
  const rules = spec?.rules ?? [];
  const named = rules.flatMap(({ host }) => host || []).slice(0, SHOWN);
  if (!named.length) return "*";
  return rules.length > SHOWN ? `${named.join(",")} + ${rules.length - SHOWN} more...` : named.join(",");
}

function addresses({ status }: NetworkingV1Ingress): string {
  const all = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").filter(Boolean);
  const list = [...new Set(all)].sort().join(",");
  return list.length > ADDRESS_WIDTH ? `${list.slice(0, ADDRESS_WIDTH - 3)}...` : list;
}
