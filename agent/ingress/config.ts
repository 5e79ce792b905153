/** What the node's ingress proxy is told: which rules lead where, and by which certificates. Plain data, sent as JSON. */

import { serviceKeyOf } from "../../worker/kinds/discovery/service-slices.ts";
import type { GatewayTables } from "../../worker/kinds/gateway/tables.ts";
import type {
  CoreV1Secret,
  CoreV1Service,
  DiscoveryV1EndpointSlice,
  NetworkingV1Ingress,
  NetworkingV1IngressClass,
} from "../../worker/kinds/generated/types.ts";
import { type Backend, backendOf, isProblem, portOf } from "../../worker/kinds/ingress/backends.ts";
import { classOf, ownClasses, TRUSTED_ANNOTATION } from "../../worker/kinds/ingress/class.ts";
import { isWoken } from "../../worker/kinds/ingress/idle.ts";
import {
  both,
  certificatesOf,
  type Routes,
  routesOf,
  servedIngresses,
  type Target,
  targetKey,
  targetsOf,
} from "../../worker/kinds/ingress/routes.ts";

/** What the cluster has told the node. Secrets and Services by `namespace/name`. */
export type IngressObjects = {
  ingresses: readonly NetworkingV1Ingress[];
  classes: Iterable<NetworkingV1IngressClass>;
  services: ReadonlyMap<string, CoreV1Service>;
  slices: Iterable<DiscoveryV1EndpointSlice>;
  secrets: ReadonlyMap<string, CoreV1Secret>;
  gateways?: GatewayTables | undefined;
};

/** Undefined is the usual port, or any other where that is taken; 0 is none. */
export type Ports = { http?: number; https?: number };

/** PEM; no hosts stand for all. */
export type Certificate = { secret: string; hosts: string[]; certificate: string; key: string };

export type ProxyConfig = {
  ports: Ports;
  /** Of Ingresses, which are served on the two usual ports. */
  routes: Routes;
  /** All that is served on a port, where gateways have listeners there. Ports as they are called, whatever the node's are. */
  byPort?: Record<number, Routes>;
  /** Ports of gateways beside the two usual ones. */
  others?: { port: number; isSecure: boolean }[];
  /** By `targetKey`; a target that is absent has no Service. */
  backends: Record<string, Backend>;
  certificates: Certificate[];
  /** Ranges of proxies that may say who the client is. */
  trusted: string[];
};

/** Undefined where nothing is to be served on the local network. */
export function configOf(objects: IngressObjects, ports: Ports): ProxyConfig | undefined {
  if (ports.http === 0 && ports.https === 0) return undefined;
  const classes = [...objects.classes];
  const ingresses = servedIngresses(objects.ingresses, classes, "lan");
  const { gateways } = objects;
  if (ingresses.length === 0 && !gateways) return undefined;
  const routes = routesOf(ingresses);
  const byPort = Object.entries(gateways?.ports ?? {}).map(
    ([port, table]) => [port, isUsual(port) ? both(routes, table.routes) : table.routes] as const,
  );
  const all = [routes, ...byPort.map(([, table]) => table)];
  return {
    ports,
    routes,
    ...(gateways && { byPort: Object.fromEntries(byPort), others: othersOf(gateways) }),
    backends: backendsOf(all.flatMap(targetsOf), objects),
    certificates: [...certificatesOf(ingresses), ...(gateways?.certificates ?? [])].flatMap((use) =>
      certificateOf(use, objects.secrets),
    ),
    trusted: trustedBy(ingresses, classes),
  };
}

const USUAL = ["80", "443"];
const isUsual = (port: string) => USUAL.includes(port);

const othersOf = ({ ports }: GatewayTables): NonNullable<ProxyConfig["others"]> =>
  Object.entries(ports).flatMap(([port, { isSecure }]) => (isUsual(port) ? [] : [{ port: Number(port), isSecure }]));

function backendsOf(targets: readonly Target[], { services, slices }: IngressObjects): ProxyConfig["backends"] {
  const byService = new Map<string, DiscoveryV1EndpointSlice[]>(
    targets.map(({ namespace, service }) => [`${namespace}/${service}`, []]),
  );
  for (const slice of slices) byService.get(serviceKeyOf(slice))?.push(slice);
  const backends: ProxyConfig["backends"] = {};
  for (const target of targets) {
    const service = `${target.namespace}/${target.service}`;
    const found = services.get(service);
    const port = portOf(target, found);
    if (isProblem(port)) continue;
    const { speaks } = target;
    const backend = { ...backendOf(port, byService.get(service) ?? []), ...(speaks && { protocol: speaks }) };
    backends[targetKey(target)] = found && isWoken(found) ? { ...backend, wakes: true } : backend;
  }
  return backends;
}

const text = (base64 = "") => Buffer.from(base64, "base64").toString();

function certificateOf(
  { namespace, secret, hosts }: ReturnType<typeof certificatesOf>[number],
  secrets: IngressObjects["secrets"],
): Certificate[] {
  const found = secrets.get(`${namespace}/${secret}`)?.data;
  const [certificate, key] = [text(found?.["tls.crt"]), text(found?.["tls.key"])];
  return certificate && key ? [{ secret: `${namespace}/${secret}`, hosts, certificate, key }] : [];
}

function trustedBy(
  ingresses: readonly NetworkingV1Ingress[],
  classes: readonly NetworkingV1IngressClass[],
): ProxyConfig["trusted"] {
  const own = ownClasses(classes);
  const used = new Set(ingresses.map((ingress) => classOf(ingress, own)));
  return [...used].flatMap((used) =>
    (used?.metadata?.annotations?.[TRUSTED_ANNOTATION] ?? "").split(",").flatMap((range) => range.trim() || []),
  );
}
