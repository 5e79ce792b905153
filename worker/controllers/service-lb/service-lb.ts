/**
 * Services of type LoadBalancer at the nodes' own addresses: every node leads a Service's ports, at the addresses that are
 * told here, to its pods. https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
 */
import { Node } from "../../kinds/core/node.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { same } from "../../kinds/paths.ts";
import { isIp } from "../../kinds/validation/ip.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Digest, Intent, View } from "../controller.ts";
import { SERVICE_NAME } from "../endpoints/backends.ts";
import { normal, warning } from "../events.ts";
import { keyOf, splitKey, watch } from "../keys.ts";

/** Upstream's mark of nodes that are to take no traffic for load balancers. */
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";
/** What nodes keep for themselves: SSH, without which a machine could not be mended, the control plane's and the node's API. */
const RESERVED: ReadonlySet<string> = new Set(["TCP/22", "TCP/6443", "TCP/10250"]);

type Ports = { since: string; ports: readonly string[] };

/** The node's address for others, "" while it takes no traffic. */
function addressOf({ metadata, status }: Readonly<Node>): string {
  if (metadata.deletionTimestamp || metadata.labels?.[EXCLUDED] !== undefined) return "";
  if (conditionOf(status?.conditions, "Ready")?.status !== "True") return "";
  const of = (type: string) => status?.addresses?.find((known) => known.type === type)?.address;
  const address = of("ExternalIP") ?? of("InternalIP") ?? "";
  return isIp(address) ? address : "";
}

/** Another class is another controller's. */
const isOurs = ({ metadata, spec }: Readonly<Service>): boolean =>
  spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;

const portsOf = ({ spec }: Readonly<Service>): string[] =>
  (spec.ports ?? []).map(({ protocol = "TCP", port }) => `${protocol}/${port}`);

const ADDRESSES: Digest<Node, string> = { kind: Node, of: addressOf };
const PORTS: Digest<Service, Ports | undefined> = {
  kind: Service,
  of: (service) =>
    isOurs(service) ? { since: service.metadata.creationTimestamp ?? "", ports: portsOf(service) } : undefined,
};

function* allOurs(view: View): Iterable<string> {
  for (const [key, ports] of view.digest(PORTS)) if (ports) yield key;
}

export const serviceLoadBalancerController: Controller = {
  name: "service-controller",
  watches: [
    watch(Service, function* (service, old, view, type) {
      const [is, was] = [type !== "DELETED" && isOurs(service), old !== undefined && isOurs(old)];
      if (!is && !was) return;
      yield keyOf(service);
      // Whoever waits for a port of it may have it now.
      if (old && was && !(is && same(portsOf(service), portsOf(old)))) yield* allOurs(view);
    }),
    watch(Node, function* (node, old, view, type) {
      if (type === "MODIFIED" && old && addressOf(node) === addressOf(old)) return;
      yield* allOurs(view);
    }),
    watch(EndpointSlice, function* ({ metadata }, _, view) {
      const key = `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME]}`;
      const service = view.get(Service, ...splitKey(key));
      if (service && isOurs(service) && isLocal(service)) yield key;
    }),
  ],
  reconcile(view, key): Intent[] {
    const service = view.get(Service, ...splitKey(key));
    if (!service) return [];
    if (!isOurs(service)) return service.spec.type === "LoadBalancer" ? [] : cleared(service);
    const problem = takenPort(view, key, service);
    const wanted = problem ? [] : addresses(view, service);
    const known = service.status?.loadBalancer?.ingress ?? [];
    const told = problem ? [failed(service, problem)] : changed(service, known.length > 0, wanted.length > 0);
    if (same(wanted, known)) return problem ? told : [];
    const loadBalancer = wanted.length > 0 ? { ingress: wanted } : {};
    const object = { ...service, status: { ...service.status, loadBalancer } };
    return [{ do: "updateStatus", kind: Service, object }, ...told];
  },
};

/** What is no load balancer any more has no addresses of one. */
function cleared(service: Readonly<Service>): Intent[] {
  if (!service.status?.loadBalancer?.ingress?.length) return [];
  return [
    {
      do: "updateStatus",
      kind: Service,
      object: { ...service, status: { ...service.status, loadBalancer: {} } } as Service,
    },
  ];
}

const isLocal = ({ spec }: Readonly<Service>) => spec.externalTrafficPolicy === "Local";

/** Why a port of the Service cannot be had. A port is the older Service's, on all nodes. */
function takenPort(view: View, key: string, service: Readonly<Service>): string | undefined {
  const ports = portsOf(service);
  const reserved = ports.find((port) => RESERVED.has(port));
  if (reserved) return `port ${reserved} is the nodes' own`;
  const since = service.metadata.creationTimestamp ?? "";
  for (const [other, held] of view.digest(PORTS)) {
    if (!held || other === key || held.since > since || (held.since === since && other > key)) continue;
    const port = held.ports.find((one) => ports.includes(one));
    if (port) return `port ${port} of the nodes is in use by service "${other}"`;
  }
  return undefined;
}

function addresses(view: View, service: Readonly<Service>): { ip: string; ipMode: string }[] {
  const nodes = view.digest(ADDRESSES);
  const within = isLocal(service) ? nodesWithPods(view, service) : undefined;
  const found = new Set<string>();
  for (const [key, address] of nodes) if (address && (!within || within.has(splitKey(key)[1]))) found.add(address);
  return [...found].toSorted().map((ip) => ({ ip, ipMode: "VIP" }));
}

/** With `externalTrafficPolicy: Local` other nodes drop what comes. */
function nodesWithPods(view: View, { metadata }: Readonly<Service>): Set<string> {
  const slices = view
    .list(EndpointSlice, metadata.namespace ?? "")
    .filter(({ metadata: { labels } }) => labels?.[SERVICE_NAME] === metadata.name);
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}

function changed(service: Readonly<Service>, had: boolean, has: boolean): Intent[] {
  if (had) return [normal(service, "UpdatedLoadBalancer", "Updated load balancer with new hosts")];
  if (!has) return [];
  return [
    normal(service, "EnsuringLoadBalancer", "Ensuring load balancer"),
    normal(service, "EnsuredLoadBalancer", "Ensured load balancer"),
  ];
}

const failed = (service: Readonly<Service>, why: string): Intent =>
  warning(service, "SyncLoadBalancerFailed", `Error syncing load balancer: failed to ensure load balancer: ${why}`);
