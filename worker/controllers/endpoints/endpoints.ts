import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { same } from "../../kinds/paths.ts";
import { timestamp } from "../../lib/effects.ts";
import type { Controller, Intent } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";
import { removal } from "../removal.ts";
import { type Backend, backendsOf, hasBackends, labelsOf, podWatch, targetRef } from "./backends.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";
const CHANGED = "endpoints.kubernetes.io/last-change-trigger-time";
/** Addresses in one object; EndpointSlices have all of them. */
const MOST = 1000;
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

type Subset = NonNullable<Endpoints["subsets"]>[number];
type Address = NonNullable<Subset["addresses"]>[number];

/**
 * The older form of a Service's endpoints, for clients that still read it: ready and unready addresses by ports.
 * https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
 */
export const endpointsController: Controller = {
  name: "endpoint-controller",
  patient: true,
  watches: [
    watch(Service, ownKey),
    podWatch(),
    watch(Endpoints, function* (endpoints, old) {
      if ((endpoints.metadata.labels ?? old?.metadata.labels)?.[MANAGED_BY] === MANAGER) yield keyOf(endpoints);
    }),
  ],
  reconcile(view, key, { now }) {
    const [namespace, name] = splitKey(key);
    const service = view.get(Service, namespace, name);
    const known = view.get(Endpoints, namespace, name);
    if (!service) {
      return known?.metadata.labels?.[MANAGED_BY] === MANAGER ? [removal(Endpoints, known)] : [];
    }
    if (service.metadata.deletionTimestamp || !hasBackends(service)) return [];
    const backends = backendsOf(view, service).filter(
      ({ terminating }) => !terminating || service.spec.publishNotReadyAddresses,
    );
    return settle(service, known, backends, now);
  },
};

function settle(
  service: Readonly<Service>,
  known: Readonly<Endpoints> | undefined,
  backends: readonly Backend[],
  now: number,
): Intent[] {
  const subsets = subsetsOf(backends.slice(0, MOST));
  const labels = { ...labelsOf(service), [MANAGED_BY]: MANAGER };
  const { [OVER_CAPACITY]: _, [CHANGED]: __, ...others } = known?.metadata.annotations ?? {};
  const full: Record<string, string> = backends.length > MOST ? { [OVER_CAPACITY]: "truncated" } : {};
  if (
    known &&
    same(subsets, known.subsets ?? []) &&
    same(labels, known.metadata.labels) &&
    known.metadata.annotations?.[OVER_CAPACITY] === full[OVER_CAPACITY]
  )
    return [];
  const annotations = { ...others, ...full, [CHANGED]: timestamp(now) };
  const { namespace, name } = service.metadata;
  const metadata = { ...(known?.metadata ?? { namespace, name }), labels, annotations };
  const object = { ...known, metadata, ...(subsets.length > 0 ? { subsets } : { subsets: undefined }) } as Endpoints;
  return [{ do: known ? "update" : "create", kind: Endpoints, object }];
}

function subsetsOf(backends: readonly Backend[]): Subset[] {
  const subsets = new Map<string, Subset>();
  for (const backend of backends) {
    const id = JSON.stringify(backend.ports);
    const subset: Subset = subsets.get(id) ?? (backend.ports.length > 0 ? { ports: backend.ports.map(portOf) } : {});
    subsets.set(id, subset);
    const list = backend.ready ? "addresses" : "notReadyAddresses";
    subset[list] = [...(subset[list] ?? []), addressOf(backend)];
  }
  return [...subsets.values()].map(({ addresses, notReadyAddresses, ports }) => ({
    ...(addresses && { addresses: addresses.toSorted(byAddress) }),
    ...(notReadyAddresses && { notReadyAddresses: notReadyAddresses.toSorted(byAddress) }),
    ...(ports && { ports }),
  }));
}

const byAddress = (a: Address, b: Address) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);

/** An only port may go without a name here. */
function portOf({ name, ...port }: Backend["ports"][number]) {
  return name ? { name, ...port } : port;
}

function addressOf({ pod, address, hostname }: Backend): Address {
  return {
    ip: address,
    ...(hostname && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetRef(pod),
  };
}
