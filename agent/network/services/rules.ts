import { distinct, type Family, familyOf, inName, rangeOf, withPort } from "../family.ts";
import { podCIDRsOf } from "../routes.ts";
import type { NetworkState, Pod, Service, ServicePort } from "../types.ts";
import { Draft } from "./draft.ts";
import { type Backends, backends, type Endpoint, isBalanced, isPort, type Place, placeOf } from "./endpoints.ts";
import type { Ruleset } from "./ruleset.ts";
import { HELD_MARK, LEAVING, MASQUERADE_MARK } from "./skeleton.ts";
import { type Source, sameSource, sourcesOf } from "./sources.ts";

export type RulesContext = {
  nodeName: string;
  family: Family;
  podCIDR: string;
  /** Destinations that the agent itself serves, ahead of any Service: `address . proto . port` → where it listens. */
  own: readonly { address: string; protocol: string; port: number; to: Endpoint }[];
  /** Where the agent holds what comes for a Service's port that has no ready endpoint, by the port's path. */
  held?: ReadonlyMap<string, Endpoint>;
};

export const PROTOCOLS: Record<string, string> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** Kubernetes' default for ClientIP affinity. */
const AFFINITY_SECONDS = 10_800;

/** What the chains of one port of a Service have in common; `timeout` is that of its clients, see `affinityTimeout`. */
type Route = { draft: Draft; family: Family; protocol: string; timeout: number };

/** Rules already made, by Service: a change of one Service should not cost the making of all. */
export type RulesMemo = Map<string, { source: Source; zone: string | undefined; held: string; rules: Ruleset }>;

/** What a Service's port is called here. */
export const pathOf = ({ metadata }: Service, port: ServicePort): string =>
  `${metadata?.namespace}/${metadata?.name}/${PROTOCOLS[port.protocol ?? "TCP"]}-${port.port}`;

/** The places that a Service's rules lead to while it sleeps, as one word. */
const heldOf = (service: Service, { held }: RulesContext): string =>
  held && held.size > 0 ? (service.spec?.ports ?? []).map((port) => held.get(pathOf(service, port))?.port).join() : "";

/**
 * The state of the table that serves `state`. Names and addresses that could break out of nft's syntax are skipped.
 * `memo` belongs to one context and is kept up to date here.
 */
export function rulesFor(state: NetworkState, context: RulesContext, memo: RulesMemo = new Map()): Ruleset {
  const draft = new Draft();
  const sources = sourcesOf(state.services, state.endpointSlices);
  const place = placeOf(context.nodeName, state.nodes);
  const { zone } = place;
  for (const [key, source] of sources) {
    const known = memo.get(key);
    const held = heldOf(source.service, context);
    const holds = known && known.zone === zone && known.held === held && sameSource(known.source, source);
    const rules = holds ? known.rules : serviceRules(source, context, place);
    memo.set(key, { source, zone, held, rules });
    draft.add(rules);
  }
  for (const key of memo.keys()) if (!sources.has(key)) memo.delete(key);
  addHostPorts(draft, state.pods, context.family);
  addHairpins(draft, state, context);
  addOwn(draft, context);
  draft.chains.set(LEAVING, leaving(state, context));
  return draft;
}

function serviceRules({ service, slices }: Source, context: RulesContext, place: Place): Ruleset {
  const draft = new Draft();
  if (!isBalanced(service, context.family) || !wellNamed(service)) return draft;
  for (const port of service.spec?.ports ?? []) {
    if (!isPort(port.port) || !PROTOCOLS[port.protocol ?? "TCP"]) continue;
    addServicePort(draft, service, port, backends(slices, port, place, context.family), context);
  }
  return draft;
}

function wellNamed(service: Service): boolean {
  return NAME.test(service.metadata?.name ?? "") && NAME.test(service.metadata?.namespace ?? "");
}

function addServicePort(
  draft: Draft,
  service: Service,
  port: ServicePort,
  found: Backends,
  context: RulesContext,
): void {
  const spec = service.spec ?? {};
  const protocol = PROTOCOLS[port.protocol ?? "TCP"] as string;
  const path = pathOf(service, port);
  const { cluster, local } = found;
  const { family } = context;
  const route = { draft, family, protocol, timeout: affinityTimeout(service) };
  const clusterAddresses = clusterAddressesOf(service, family);
  const external = externalAddresses(service, family);
  const nodePort = spec.type !== "ClusterIP" && isPort(port.nodePort) ? port.nodePort : undefined;

  const holder = found.isReady ? undefined : context.held?.get(path);
  if (holder) {
    const chain = `held/${path}`;
    const mark = `meta mark set meta mark | ${HELD_MARK}`;
    draft.chains.set(chain, [
      `${mark} meta l4proto ${protocol} dnat ${family.word} to ${withPort(holder.address, holder.port)}`,
    ]);
    for (const address of clusterAddresses)
      draft.element("cluster_ips", `${address} . ${protocol} . ${port.port}`, `goto ${chain}`);
    lead(route, service, { path, port, external, nodePort }, chain);
    return;
  }
  if (cluster.length === 0) {
    for (const address of [...clusterAddresses, ...external])
      draft.element("no_endpoints", `${address} . ${protocol} . ${port.port}`);
    if (nodePort) draft.element("no_endpoint_ports", `${protocol} . ${nodePort}`);
    return;
  }

  const everywhere = `service/${path}`;
  balance(route, everywhere, cluster);
  let inside = everywhere;
  if (spec.internalTrafficPolicy === "Local") {
    inside = `internal/${path}`;
    balance(route, inside, local);
  }
  for (const address of clusterAddresses)
    draft.element("cluster_ips", `${address} . ${protocol} . ${port.port}`, `goto ${inside}`);

  if (external.length === 0 && !nodePort) return;
  const outside = `external/${path}`;
  draft.chains.set(outside, externalRules(route, service, path, local, context));
  lead(route, service, { path, port, external, nodePort }, outside);
}

type Fronts = { path: string; port: ServicePort; external: readonly string[]; nodePort: number | undefined };

/** What asks for the Service from outside goes to this chain. */
function lead(route: Route, service: Service, { path, port, external, nodePort }: Fronts, outside: string): void {
  const { draft, protocol } = route;
  for (const address of external) {
    const key = `${address} . ${protocol} . ${port.port}`;
    draft.element("external_ips", key, `goto ${restricted(route, service, path, outside, address)}`);
  }
  if (nodePort) draft.element("node_ports", `${protocol} . ${nodePort}`, `goto ${outside}`);
}

/** `loadBalancerSourceRanges` bind the load balancer's addresses only. */
function restricted(
  { draft, family }: Route,
  service: Service,
  path: string,
  outside: string,
  address: string,
): string {
  const ranges = (service.spec?.loadBalancerSourceRanges ?? []).flatMap((range) => rangeOf(family, range) ?? []);
  if (ranges.length === 0 || distinct(family, service.spec?.externalIPs ?? []).includes(address)) return outside;
  const chain = `guarded/${path}`;
  draft.chains.set(chain, [...ranges.map((range) => `${family.word} saddr ${range} goto ${outside}`), "drop"]);
  return chain;
}

/**
 * From outside: over all endpoints with the source replaced, so that answers come back this way; or with
 * `externalTrafficPolicy: Local` only over this node's, with the client's address kept. This node's own pods and
 * processes may always use all endpoints.
 */
function externalRules(
  route: Route,
  service: Service,
  path: string,
  local: readonly Endpoint[],
  { family: { word: ip }, podCIDR }: RulesContext,
): string[] {
  const everywhere = `service/${path}`;
  const mark = `meta mark set meta mark | ${MASQUERADE_MARK}`;
  if (service.spec?.externalTrafficPolicy !== "Local")
    return [`${ip} saddr ${podCIDR} goto ${everywhere}`, mark, `goto ${everywhere}`];
  const here = `local/${path}`;
  balance(route, here, local);
  return [
    `${ip} saddr ${podCIDR} goto ${everywhere}`,
    `fib saddr type local ${mark} goto ${everywhere}`,
    `goto ${here}`,
  ];
}

/** A chain that sends each new connection to one of `endpoints`, by chance or where its client went before. */
function balance({ draft, family, protocol, timeout }: Route, chain: string, endpoints: readonly Endpoint[]): void {
  const { word: ip, type } = family;
  const proto = `meta l4proto ${protocol}`;
  const count = endpoints.length;
  if (count === 0) {
    draft.chains.set(chain, ["drop"]);
  } else if (timeout === 0) {
    const targets = endpoints.map(({ address, port }, i) => `${i} : ${address} . ${port}`);
    draft.chains.set(chain, [`${proto} dnat ${ip} to numgen random mod ${count} map { ${targets.join(", ")} }`]);
  } else {
    const names = endpoints.map(({ address, port }) => `${inName(address)}-${port}/${chain}`);
    endpoints.forEach(({ address, port }, i) => {
      draft.sets.set(`clients/${names[i]}`, `type ${type}; flags dynamic,timeout; timeout ${timeout}s;`);
      draft.chains.set(`endpoint/${names[i]}`, [
        `update @clients/${names[i]} { ${ip} saddr } ${proto} dnat ${ip} to ${withPort(address, port)}`,
      ]);
    });
    draft.chains.set(chain, [
      ...names.map((name) => `${ip} saddr @clients/${name} goto endpoint/${name}`),
      `numgen random mod ${count} vmap { ${names.map((name, i) => `${i} : goto endpoint/${name}`).join(", ")} }`,
    ]);
  }
}

/** Seconds that a client stays with its endpoint; 0 without affinity. */
function affinityTimeout({ spec }: Service): number {
  if (spec?.sessionAffinity !== "ClientIP") return 0;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return Number.isInteger(seconds) && Number(seconds) > 0 ? Number(seconds) : AFFINITY_SECONDS;
}

/** Of the family. */
export const clusterAddressesOf = ({ spec }: Service, family: Family): string[] =>
  distinct(family, spec?.clusterIPs ?? [spec?.clusterIP ?? ""]);

export function externalAddresses({ spec, status }: Service, family: Family): string[] {
  const ingress = spec?.type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : [];
  const balanced = ingress.filter(({ ipMode }) => ipMode !== "Proxy").map(({ ip }) => ip ?? "");
  return distinct(family, [...(spec?.externalIPs ?? []), ...balanced]);
}

function addHostPorts(draft: Draft, pods: readonly Pod[], family: Family): void {
  for (const { spec, status } of pods) {
    const [address] = distinct(family, addressesOf(status));
    if (spec?.hostNetwork || !address || isOver(status?.phase)) continue;
    for (const port of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap((c) => c.ports ?? [])) {
      const protocol = PROTOCOLS[port.protocol ?? "TCP"];
      if (!protocol || !isPort(port.hostPort) || !isPort(port.containerPort)) continue;
      const target = `${address} . ${port.containerPort}`;
      const hostIP = family.canonical(port.hostIP || family.unspecified);
      if (hostIP === family.unspecified) draft.element("host_ports", `${protocol} . ${port.hostPort}`, target);
      else if (hostIP) draft.element("host_ip_ports", `${hostIP} . ${protocol} . ${port.hostPort}`, target);
    }
  }
}

const addressesOf = (status: Pod["status"]): readonly string[] =>
  status?.podIPs?.map(({ ip = "" }) => ip) ?? [status?.podIP ?? ""];

const isOver = (phase: string | undefined) => phase === "Succeeded" || phase === "Failed";

/** A pod that reaches itself through a Service would see its own address come in from outside and drop it. */
function addHairpins(draft: Draft, { pods, endpointSlices }: NetworkState, { nodeName, family }: RulesContext): void {
  const endpoints = endpointSlices.flatMap((slice) => slice.endpoints ?? []).filter((e) => e.nodeName === nodeName);
  const ofEndpoints = endpoints.map(({ addresses: [address = ""] = [] }) => address);
  for (const address of distinct(family, [...pods.flatMap(({ status }) => addressesOf(status)), ...ofEndpoints]))
    draft.element("hairpins", `${address} . ${address}`);
}

function addOwn(draft: Draft, { own, family }: RulesContext): void {
  for (const { address, protocol, port, to } of own) {
    if (!family.has(address)) continue;
    const chain = `own/${protocol}-${address}-${port}`;
    draft.chains.set(chain, [`meta l4proto ${protocol} dnat ip to ${to.address}:${to.port}`]);
    draft.element("cluster_ips", `${address} . ${protocol} . ${port}`, `goto ${chain}`);
    draft.elements.get("no_endpoints")?.delete(`${address} . ${protocol} . ${port}`);
  }
}

/** Between pods addresses stay as they are; to all others pods speak with their node's. */
function leaving({ nodes }: NetworkState, { family, podCIDR }: RulesContext): string[] {
  const others = nodes.flatMap(({ spec }) => podCIDRsOf(spec)).filter((cidr) => familyOf(cidr) === family);
  const pods = new Set([podCIDR, ...others]);
  return [...[...pods].sort().map((cidr) => `${family.word} daddr ${cidr} return`), "masquerade fully-random"];
}
