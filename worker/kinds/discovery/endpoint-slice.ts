import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { DiscoveryV1EndpointSlice, Schemas } from "../generated/types.ts";
import { same } from "../paths.ts";
import { sliceWarnings, validateEndpointSlice } from "../validation/endpoints.ts";

/** https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ */
export type EndpointSlice = Schemas["io.k8s.api.discovery.v1.EndpointSlice"];
export const EndpointSlice = defineKind({
  schema: "io.k8s.api.discovery.v1.EndpointSlice",
  immutable: ["addressType"],
  default(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  prepareForCreate: ({ endpoints }) => dropTopology(endpoints),
  prepareForUpdate({ endpoints }, old) {
    if (!same(endpoints, old.endpoints)) dropTopology(endpoints);
  },
  validate: validateEndpointSlice,
  warnings: (slice, old) => sliceWarnings(slice, !old),
  columns: [
    nameColumn,
    { name: "AddressType", type: "string", value: ({ addressType }) => addressType ?? "" },
    { name: "Ports", type: "string", value: ports },
    { name: "Endpoints", type: "string", value: endpoints },
    ageColumn,
  ],
});

/** It was for an older version; this one only keeps it. */
function dropTopology(endpoints: EndpointSlice["endpoints"]): void {
  for (const endpoint of endpoints ?? []) delete endpoint.deprecatedTopology;
}

const SHOWN = 3;

function some(list: readonly string[]): string {
  const shown = list.slice(0, SHOWN).join(",");
  return list.length > SHOWN ? `${shown} + ${list.length - SHOWN} more...` : shown || "<unset>";
}

function ports(slice: DiscoveryV1EndpointSlice): string {
  return some((slice.ports ?? []).map(({ port, name }) => (port ? `${port}` : name || "*")));
}
function endpoints(slice: DiscoveryV1EndpointSlice): string {
  return some((slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []));
}
