import { serviceKeyOf } from "../../../worker/kinds/discovery/service-slices.ts";
import type { EndpointSlice, Service } from "../types.ts";

/** All that a Service's rules and DNS records are made from. */
export type Source = { service: Service; slices: readonly EndpointSlice[] };

/** By `namespace/name`. */
export function sourcesOf(services: readonly Service[], endpointSlices: readonly EndpointSlice[]): Map<string, Source> {
  const slices = Map.groupBy(endpointSlices, serviceKeyOf);
  return new Map(
    services.map((service) => {
      const key = `${service.metadata?.namespace}/${service.metadata?.name}`;
      return [key, { service, slices: slices.get(key) ?? [] }];
    }),
  );
}

/** Whether what was made from one still holds for the other. */
export function sameSource(a: Source, b: Source): boolean {
  return (
    sameObject(a.service, b.service) &&
    a.slices.length === b.slices.length &&
    a.slices.every((slice, i) => sameObject(slice, b.slices[i]))
  );
}

function sameObject(a: Service | EndpointSlice, b: Service | EndpointSlice | undefined): boolean {
  if (a === b) return true;
  const version = a.metadata?.resourceVersion;
  return version !== undefined && version === b?.metadata?.resourceVersion && a.metadata?.uid === b.metadata?.uid;
}
