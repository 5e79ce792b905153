/**
 * Services of type LoadBalancer, at the nodes' own addresses or at ones that are lent to them: every node leads a Service's
 * ports, at the addresses that are told here, to its pods.
 * https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
 */
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { serviceKeyOf } from "../../kinds/discovery/service-slices.ts";
import { same } from "../../kinds/paths.ts";
import { ANNOUNCED_BY, POOL } from "../../lib/load-balancers.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { fromPool, poolOf } from "./address-pool.ts";
import { addressesOf, addressOf, HELD, isLocal, isOurs, type Plan, portsOf } from "./balanced.ts";
import { fromNodes } from "./node-addresses.ts";

/** Upstream's finalizer of Services that have a load balancer. */
const CLEANUP = "service.kubernetes.io/load-balancer-cleanup";

const isHeld = ({ metadata }: Readonly<Service>): boolean => metadata.finalizers?.includes(CLEANUP) ?? false;

function* allOurs(view: View): Iterable<string> {
  for (const [key, held] of view.digest(HELD)) if (held) yield key;
}

/** What others may wait for; an address only where it is lent. */
const holdings = (service: Readonly<Service>) =>
  isOurs(service) ? [portsOf(service), service.metadata.annotations?.[ANNOUNCED_BY] && addressesOf(service)] : [];

export const serviceLoadBalancerController: Controller = {
  name: "service-controller",
  watches: [
    watch(Service, function* (service, old, view, type) {
      const was = old !== undefined && isOurs(old);
      if (!was && !isOurs(service) && !isHeld(service) && addressesOf(service).length === 0) return;
      yield keyOf(service);
      if (was && (type === "DELETED" || !same(holdings(service), holdings(old)))) yield* allOurs(view);
    }),
    watch(Node, function* (node, old, view, type) {
      // The pool is read only where it may matter: nodes write often, and seldom other labels.
      const isSelectedAs = (before: Readonly<Node>) =>
        same(node.metadata.labels, before.metadata.labels) || !poolOf(view)?.nodes.length;
      if (type === "MODIFIED" && old && addressOf(node) === addressOf(old) && isSelectedAs(old)) return;
      yield* allOurs(view);
    }),
    watch(EndpointSlice, function* (slice, _, view) {
      const key = serviceKeyOf(slice);
      if (!view.digest(HELD).get(key)) return; // most Services are no load balancers, and need not be read
      const service = view.get(Service, ...splitKey(key));
      if (service && isLocal(service)) yield key;
    }),
    watch(ConfigMap, function* ({ metadata }, _, view) {
      if (metadata.name === POOL.name && metadata.namespace === POOL.namespace) yield* allOurs(view);
    }),
  ],
  reconcile(view, key): Intent[] {
    const service = view.get(Service, ...splitKey(key));
    if (!service) return [];
    if (isOurs(service)) return settle(service, planFor(view, key, service), [CLEANUP]);
    // What is no load balancer any more has no addresses of one. Another class is another's, until it is deleted: then
    // upstream takes the finalizer off, whoever put it there.
    const isLetGo = service.metadata.deletionTimestamp !== undefined && isHeld(service);
    return service.spec.loadBalancerClass === undefined || isLetGo ? settle(service, { addresses: [] }) : [];
  },
};

function planFor(view: View, key: string, service: Readonly<Service>): Plan {
  const pool = poolOf(view);
  return pool ? fromPool(view, key, service, pool) : fromNodes(view, key, service);
}

function settle(service: Readonly<Service>, { addresses, by, problem }: Plan, held: readonly string[] = []): Intent[] {
  const { [ANNOUNCED_BY]: known, ...others } = service.metadata.annotations ?? {};
  const found = service.metadata.finalizers ?? [];
  const finalizers = [...found.filter((finalizer) => finalizer !== CLEANUP), ...held];
  if (known !== by || found.length !== finalizers.length) {
    const annotations = known !== by && { annotations: { ...others, ...(by && { [ANNOUNCED_BY]: by }) } };
    const metadata = { ...service.metadata, ...annotations, finalizers: finalizers.length ? finalizers : undefined };
    const told = finalizers.length < found.length ? deleted(service) : [];
    return [{ do: "update", kind: Service, object: { ...service, metadata } as Service }, ...told];
  }
  const had = addressesOf(service);
  const told = problem ? [failed(service, problem)] : changed(service, had, addresses);
  if (same(addresses, had)) return problem ? told : [];
  const loadBalancer = addresses.length > 0 ? { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) } : {};
  const object = { ...service, status: { ...service.status, loadBalancer } } as Service;
  return [{ do: "updateStatus", kind: Service, object }, ...told];
}

function changed(service: Readonly<Service>, had: readonly string[], has: readonly string[]): Intent[] {
  if (!isOurs(service)) return [];
  if (had.length > 0 && has.length > 0)
    return [normal(service, "UpdatedLoadBalancer", "Updated load balancer with new hosts")];
  if (had.length > 0)
    return [warning(service, "UnAvailableLoadBalancer", "There are no available nodes for LoadBalancer")];
  return [
    normal(service, "EnsuringLoadBalancer", "Ensuring load balancer"),
    normal(service, "EnsuredLoadBalancer", "Ensured load balancer"),
  ];
}

const deleted = (service: Readonly<Service>): Intent[] => [
  normal(service, "DeletingLoadBalancer", "Deleting load balancer"),
  normal(service, "DeletedLoadBalancer", "Deleted load balancer"),
];

const failed = (service: Readonly<Service>, why: string): Intent =>
  warning(service, "SyncLoadBalancerFailed", `Error syncing load balancer: failed to ensure load balancer: ${why}`);
