import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { CoreV1Endpoints, Schemas } from "../generated/types.ts";
import { endpointsWarnings, validateEndpoints } from "../validation/endpoints.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoints-v1/ */
export type Endpoints = Schemas["io.k8s.api.core.v1.Endpoints"];
export const Endpoints = defineKind({
  schema: "io.k8s.api.core.v1.Endpoints",
  default(endpoints) {
    for (const port of (endpoints.subsets ?? []).flatMap((subset) => subset.ports ?? [])) port.protocol ||= "TCP";
  },
  validate: validateEndpoints,
  warnings: endpointsWarnings,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  columns: [nameColumn, { name: "Endpoints", type: "string", value: (e) => addresses(e) }, ageColumn],
});

const SHOWN = 3;

function addresses({ subsets }: CoreV1Endpoints): string {
  if (!subsets?.length) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  );
  const shown = all.slice(0, SHOWN).join(",");
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}
