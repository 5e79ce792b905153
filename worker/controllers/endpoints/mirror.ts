import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { SERVICE_NAME } from "../../kinds/discovery/service-slices.ts";
import type { CoreV1EndpointAddress, CoreV1EndpointPort, CoreV1EndpointSubset } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import type { Controller, Intent } from "../controller.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import { controllerOf } from "../owners.ts";
import { removal } from "../removal.ts";
import { type Content, sliceOf } from "./endpoint-slices.ts";

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const MANAGER = "endpointslicemirroring-controller.k8s.io";
const SKIP = "endpointslice.kubernetes.io/skip-mirror";
const LEADER = "control-plane.alpha.kubernetes.io/leader";
/** Addresses mirrored of one subset. */
const MOST = 1000;

type Slice = Readonly<EndpointSlice>;

/**
 * Copies Endpoints that someone else keeps, of a Service without a selector, into EndpointSlices, which is where nodes
 * look. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring
 */
export const endpointSliceMirroringController: Controller = {
  name: "endpointslicemirroring-controller",
  watches: [
    watch(Endpoints, ownKey),
    watch(Service, ownKey),
    watch(EndpointSlice, function* ({ metadata }) {
      if (metadata.labels?.[MANAGED_BY] === MANAGER) yield `${metadata.namespace}/${metadata.labels[SERVICE_NAME]}`;
    }),
  ],
  reconcile(view, key, { random }) {
    const [namespace, name] = splitKey(key);
    const endpoints = view.get(Endpoints, namespace, name);
    if (!endpoints || endpoints.metadata.deletionTimestamp) return [];
    const service = view.get(Service, namespace, name);
    const uid = endpoints.metadata.uid ?? "";
    const slices = view
      .owned(EndpointSlice, uid)
      .filter((slice) => controllerOf(slice)?.uid === uid && slice.metadata.labels?.[MANAGED_BY] === MANAGER);
    const wanted = service && !service.spec.selector && isMirrored(endpoints) ? contentsOf(endpoints) : [];
    return settle(endpoints, slices, wanted, random);
  },
};

const isMirrored = ({ metadata: { labels, annotations } }: Readonly<Endpoints>): boolean =>
  labels?.[SKIP] !== "true" && annotations?.[LEADER] === undefined;

function contentsOf({ subsets = [] }: Readonly<Endpoints>): Content[] {
  return subsets.flatMap((subset) =>
    (["IPv4", "IPv6"] as const)
      .map((addressType) => ({
        addressType,
        endpoints: endpointsOf(subset, (ip) => ip.includes(":") === (addressType === "IPv6")),
        ports: (subset.ports ?? []).map(portOf),
      }))
      .filter(({ endpoints }) => endpoints.length > 0),
  );
}

const portOf = ({ name = "", protocol = "TCP", port, appProtocol }: CoreV1EndpointPort) => ({
  name,
  protocol,
  port,
  ...(appProtocol && { appProtocol }),
});

function endpointsOf({ addresses = [], notReadyAddresses = [] }: CoreV1EndpointSubset, fits: (ip: string) => boolean) {
  const make = (ready: boolean) => (address: CoreV1EndpointAddress) => ({
    addresses: [address.ip],
    conditions: { ready },
    ...(address.hostname && { hostname: address.hostname }),
    ...(address.nodeName && { nodeName: address.nodeName }),
    ...(address.targetRef && { targetRef: address.targetRef }),
  });
  const all = [...addresses.map(make(true)), ...notReadyAddresses.map(make(false))];
  return all.filter((endpoint) => fits(endpoint.addresses[0] ?? "")).slice(0, MOST);
}

/** Slices are used again in their order; what is left over goes. */
function settle(
  endpoints: Readonly<Endpoints>,
  slices: readonly Slice[],
  wanted: readonly Content[],
  random: () => number,
): Intent[] {
  const labels = {
    ...endpoints.metadata.labels,
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: endpoints.metadata.name ?? "",
  };
  const free = [...slices];
  const intents: Intent[] = [];
  for (const content of wanted) {
    const at = free.findIndex((slice) => slice.addressType === content.addressType);
    const [slice] = at < 0 ? [] : free.splice(at, 1);
    if (!slice)
      intents.push({
        do: "create",
        kind: EndpointSlice,
        object: sliceOf(Endpoints, endpoints, labels, content, random),
      });
    else if (!holds(slice, content) || !same(slice.metadata.labels, labels))
      intents.push({
        do: "update",
        kind: EndpointSlice,
        object: { ...slice, ...content, metadata: { ...slice.metadata, labels } } as EndpointSlice,
      });
  }
  return [...intents, ...free.map((slice) => removal(EndpointSlice, slice))];
}

const holds = (slice: Slice, { endpoints, ports }: Content): boolean =>
  same(slice.endpoints, endpoints) && same(slice.ports, ports);
