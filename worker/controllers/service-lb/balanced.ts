/** What is known of load balancers and of the nodes that can serve them. */
import { Node } from "../../kinds/core/node.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { slicesOf } from "../../kinds/discovery/service-slices.ts";
import { isIp } from "../../kinds/validation/ip.ts";
import { conditionOf } from "../conditions.ts";
import type { Digest, View } from "../controller.ts";
import { keyOf, splitKey } from "../keys.ts";
import { outsideAddress } from "../nodes/outside-address.ts";

/** Upstream's mark of nodes that are to take no traffic for load balancers. */
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The addresses that a Service should have, and the node that has them where one alone does; or why it has none. */
export type Plan = { addresses: readonly string[]; by?: string; problem?: string };

/** The node's address for others, "" while it takes no traffic. */
export function addressOf(node: Readonly<Node>): string {
  const { metadata, status } = node;
  if (metadata.deletionTimestamp || metadata.labels?.[EXCLUDED] !== undefined) return "";
  if (conditionOf(status?.conditions, "Ready")?.status !== "True") return "";
  const address = outsideAddress(node);
  return isIp(address) ? address : "";
}

/** Another class is another controller's. */
export const isOurs = ({ metadata, spec }: Readonly<Service>): boolean =>
  spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;

export const portsOf = ({ spec }: Readonly<Service>): string[] =>
  (spec.ports ?? []).map(({ protocol = "TCP", port }) => `${protocol}/${port}`);

export const addressesOf = ({ status }: Readonly<Service>): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);

/** What a load balancer holds, in the order of age. */
export type Held = { since: string; ports: readonly string[]; addresses: readonly string[] };

export const HELD: Digest<Service, Held | undefined> = {
  kind: Service,
  of: (service) => {
    if (!isOurs(service)) return undefined;
    const since = `${service.metadata.creationTimestamp} ${keyOf(service)}`;
    return { since, ports: portsOf(service), addresses: addressesOf(service) };
  },
};

/** The others, by key. */
export function* others(view: View, key: string): Iterable<[key: string, held: Held]> {
  for (const [other, held] of view.digest(HELD)) if (held && other !== key) yield [other, held];
}

const ADDRESSES: Digest<Node, string> = { kind: Node, of: addressOf };

/**
 * The nodes that can serve it, with their addresses. With `externalTrafficPolicy: Local` those without a pod of it drop what
 * comes, so it is none of them; before it has pods it is all, since some programs make these only when it has an address.
 */
export function serving(view: View, service: Readonly<Service>): [node: string, address: string][] {
  const able = [...view.digest(ADDRESSES)]
    .filter(([, address]) => address !== "")
    .map(([key, address]): [string, string] => [splitKey(key)[1], address]);
  const within = isLocal(service) ? nodesWithPods(view, service) : undefined;
  return within?.size ? able.filter(([node]) => within.has(node)) : able;
}

export const isLocal = ({ spec }: Readonly<Service>): boolean => spec.externalTrafficPolicy === "Local";

function nodesWithPods(view: View, { metadata }: Readonly<Service>): Set<string> {
  const slices = slicesOf(view.list(EndpointSlice, metadata.namespace ?? ""), metadata.name ?? "");
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}
