/** Services: who answers for them, by which names they are reached from outside, and what is asked of them. */
import type { EndpointSlice, HttpRoute, Ingress, KubeObject, Service } from "../api/objects.ts";

export type Endpoint = { name: string; pod?: string; address: string; node: string; ready: boolean };

const SERVICE = "kubernetes.io/service-name";

/** One for each pod, or address where there is no pod, however many families it has an address of. */
export function endpointsOf({ metadata }: Service, slices: readonly EndpointSlice[]): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.metadata.labels?.[SERVICE] !== metadata.name || slice.metadata.namespace !== metadata.namespace) continue;
    for (const { addresses, conditions, targetRef, nodeName } of slice.endpoints ?? []) {
      const pod = targetRef?.kind === "Pod" ? targetRef.name : undefined;
      const name = pod ?? addresses[0] ?? "";
      const before = found.get(name);
      found.set(name, {
        name,
        ...(pod ? { pod } : {}),
        address: [...(before ? [before.address] : []), ...addresses].join(", "),
        node: nodeName ?? "",
        ready: (before?.ready ?? false) || conditions?.ready !== false,
      });
    }
  }
  return [...found.values()].toSorted((a, b) => a.name.localeCompare(b.name));
}

export type Route = { host: string; path: string; tls: boolean; ingress: Ingress };

/** Where Ingresses lead to the Service from. A host of `*` is any. */
export function routesOf({ metadata }: Service, ingresses: readonly Ingress[]): Route[] {
  return ingresses
    .filter((ingress) => ingress.metadata.namespace === metadata.namespace)
    .flatMap((ingress) => {
      const secured = new Set(ingress.spec.tls?.flatMap(({ hosts = [] }) => hosts));
      const at = (host: string, path: string) => ({ host, path, tls: secured.has(host), ingress });
      const rules = (ingress.spec.rules ?? []).flatMap(({ host = "*", http }) =>
        (http?.paths ?? [])
          .filter(({ backend }) => backend.service?.name === metadata.name)
          .map(({ path = "/" }) => at(host, path)),
      );
      return ingress.spec.defaultBackend?.service?.name === metadata.name ? [...rules, at("*", "/")] : rules;
    });
}

/** Whether it leads to the Service and nowhere else. */
export function leadsOnlyTo({ metadata }: Service, { metadata: { namespace }, spec }: Ingress): boolean {
  const paths = (spec.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const backends = [...paths.map(({ backend }) => backend), ...(spec.defaultBackend ? [spec.defaultBackend] : [])];
  return (
    namespace === metadata.namespace &&
    backends.length > 0 &&
    backends.every(({ service }) => service?.name === metadata.name)
  );
}

const MANAGED_BY = "app.kubernetes.io/managed-by";
const MANAGER = "skerry-page";

/** Whether the page made it, and so may take it away by the same switch. */
export const isOurs = ({ metadata }: KubeObject): boolean => metadata.labels?.[MANAGED_BY] === MANAGER;

/** What makes a Service public under a host name. */
export const publicIngress = ({ metadata }: Service, host: string, port: number) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { generateName: `${metadata.name}-public-`, labels: { [MANAGED_BY]: MANAGER } },
  spec: {
    rules: [
      {
        host,
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: metadata.name, port: { number: port } } } },
          ],
        },
      },
    ],
  },
});

/** Hosts, and the Services that are led to, as `NAMESPACE/NAME`. */
export type Leads = { hosts: readonly string[]; services: readonly string[] };

export function ingressLeads({ metadata, spec }: Ingress): Leads {
  const backends = (spec.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend));
  const all = [...backends, ...(spec.defaultBackend ? [spec.defaultBackend] : [])];
  return {
    hosts: unique((spec.rules ?? []).map(({ host = "*" }) => host)),
    services: unique(all.flatMap(({ service }) => (service ? `${metadata.namespace}/${service.name}` : []))),
  };
}

export function httpRouteLeads({ metadata, spec }: HttpRoute): Leads {
  const services = (spec?.rules ?? [])
    .flatMap(({ backendRefs = [] }) => backendRefs)
    .filter(({ kind = "Service" }) => kind === "Service")
    .map(({ namespace = metadata.namespace, name }) => `${namespace}/${name}`);
  return { hosts: unique(spec?.hostnames ?? []), services: unique(services) };
}

const unique = (all: readonly string[]) => [...new Set(all)];
