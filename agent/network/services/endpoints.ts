import type { Family } from "../family.ts";
import type { EndpointSlice, Node, Service, ServicePort } from "../types.ts";

export type Endpoint = { address: string; port: number };

/** Where the clients are. */
export type Place = { nodeName: string; zone: string | undefined };

const ZONE = "topology.kubernetes.io/zone";

export const placeOf = (nodeName: string, nodes: readonly Node[]): Place => ({
  nodeName,
  zone: nodes.find(({ metadata }) => metadata?.name === nodeName)?.metadata?.labels?.[ZONE],
});

/** Where a Service's port leads to. */
export type Backends = {
  cluster: readonly Endpoint[];
  /** Those on this node. */
  local: readonly Endpoint[];
  /** One of them is ready, here or elsewhere: none only ends. */
  isReady: boolean;
};

type Candidate = Endpoint & {
  local: boolean;
  ready: boolean;
  draining: boolean;
  zones: readonly string[];
  nodes: readonly string[];
};

/**
 * Endpoints that take new connections: the ready ones, and where there is none, those that still serve while they
 * terminate. Chosen apart for the node, so that the last local pod can drain.
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-to-terminating-endpoints
 */
export function backends(slices: readonly EndpointSlice[], port: ServicePort, place: Place, family: Family): Backends {
  const candidates = slices.flatMap((slice) => [...candidatesOf(slice, port, place.nodeName, family)]);
  return {
    cluster: usable(near(candidates, place)),
    local: usable(candidates.filter(({ local }) => local)),
    isReady: candidates.some(({ ready }) => ready),
  };
}

/**
 * Those that are meant for clients here: by node, else by zone, where every ready one is meant for some, and one for these.
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-distribution
 */
function near(candidates: readonly Candidate[], { nodeName, zone }: Place): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  const meant = (whose: (candidate: Candidate) => readonly string[], here: string | undefined) =>
    here !== undefined && ready.every((candidate) => whose(candidate).length > 0)
      ? ready.filter((candidate) => whose(candidate).includes(here))
      : [];
  const [byNode, byZone] = [meant(({ nodes }) => nodes, nodeName), meant(({ zones }) => zones, zone)];
  if (byNode.length > 0) return byNode;
  return byZone.length > 0 ? byZone : candidates;
}

function* candidatesOf(
  slice: EndpointSlice,
  port: ServicePort,
  nodeName: string,
  family: Family,
): Generator<Candidate> {
  if (slice.addressType !== family.name) return;
  const target = slice.ports?.find(
    (p) => (p.name ?? "") === (port.name ?? "") && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"),
  );
  if (!isPort(target?.port)) return;
  for (const { addresses, conditions, nodeName: at, hints } of slice.endpoints ?? []) {
    const address = family.canonical(addresses?.[0] ?? "");
    if (!address) continue;
    const ready = conditions?.ready !== false;
    const draining = conditions?.serving === true && conditions.terminating === true;
    const [zones, nodes] = [hints?.forZones, hints?.forNodes].map((list) => (list ?? []).map(({ name }) => name));
    yield {
      address,
      port: target.port,
      local: at === nodeName,
      ready,
      draining,
      zones: zones ?? [],
      nodes: nodes ?? [],
    };
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

/**
 * Labels of Services that kube-proxy leaves to another, or alone.
 * https://kubernetes.io/docs/reference/labels-annotations-taints/#servicekubernetesioservice-proxy-name
 */
const NOT_OURS = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

export const isOurs = ({ metadata }: Service): boolean =>
  NOT_OURS.every((label) => metadata?.labels?.[label] === undefined);

/** A Service that is balanced here in a family: it is ours, has such an address, and is no alias. */
export function isBalanced(service: Service, family: Family): boolean {
  const { type, clusterIP = "", clusterIPs = [clusterIP] } = service.spec ?? {};
  return isOurs(service) && type !== "ExternalName" && clusterIPs.some(family.has);
}
