import { isIPv4 } from "node:net";
import type { EndpointSlice, Service, ServicePort } from "../types.ts";

export type Endpoint = { address: string; port: number };

/** Where a Service's port leads to. */
export type Backends = {
  cluster: readonly Endpoint[];
  /** Those on this node. */
  local: readonly Endpoint[];
};

type Candidate = Endpoint & { local: boolean; ready: boolean; draining: boolean };

/**
 * Endpoints that take new connections: the ready ones, and where there is none, those that still serve while they
 * terminate. Chosen apart for the node, so that the last local pod can drain.
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-to-terminating-endpoints
 */
export function backends(slices: readonly EndpointSlice[], port: ServicePort, nodeName: string): Backends {
  const candidates = slices.flatMap((slice) => [...candidatesOf(slice, port, nodeName)]);
  return { cluster: usable(candidates), local: usable(candidates.filter((candidate) => candidate.local)) };
}

function* candidatesOf(slice: EndpointSlice, port: ServicePort, nodeName: string): Generator<Candidate> {
  if (slice.addressType !== "IPv4") return;
  const target = slice.ports?.find(
    (p) => (p.name ?? "") === (port.name ?? "") && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"),
  );
  if (!isPort(target?.port)) return;
  for (const { addresses, conditions, nodeName: at } of slice.endpoints ?? []) {
    const address = addresses?.[0] ?? "";
    if (!isIPv4(address)) continue;
    const ready = conditions?.ready !== false;
    const draining = conditions?.serving === true && conditions.terminating === true;
    yield { address, port: target.port, local: at === nodeName, ready, draining };
  }
}

function usable(candidates: readonly Candidate[]): Endpoint[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  const chosen = ready.length ? ready : candidates.filter((candidate) => candidate.draining);
  const distinct = new Map(chosen.map(({ address, port }) => [`${address}:${port}`, { address, port }]));
  return [...distinct.keys()].sort().map((key) => distinct.get(key) as Endpoint);
}

export function isPort(port: number | undefined): port is number {
  return Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536;
}

/** A Service that is balanced here: it has an address, and is no alias. */
export function isBalanced(service: Service): boolean {
  return service.spec?.type !== "ExternalName" && isIPv4(service.spec?.clusterIP ?? "");
}
