import { Node } from "../../kinds/core/node.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { SERVICE_NAME } from "../../kinds/discovery/service-slices.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";
import { generatedName } from "../names.ts";
import { controllerOf, controllerRef } from "../owners.ts";
import { removal } from "../removal.ts";
import {
  type Backend,
  type BackendPort,
  backendsOf,
  familiesOf,
  hasBackends,
  labelsOf,
  podWatch,
  targetRef,
} from "./backends.ts";
import { type Hinted, hintsFor, isProportional, SHARES } from "./hints.ts";

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const MANAGER = "endpointslice-controller.k8s.io";
/** Endpoints in one slice. */
const MOST = 100;

type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];
type Slice = Readonly<EndpointSlice>;

/**
 * Lists the pods behind every Service that has a selector, at most a hundred to a slice.
 * https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
 */
export const endpointSliceController: Controller = {
  name: "endpointslice-controller",
  patient: true,
  watches: [
    watch(Service, ownKey),
    podWatch(),
    watch(EndpointSlice, function* ({ metadata }) {
      const name = metadata.labels?.[SERVICE_NAME];
      if (name && metadata.labels?.[MANAGED_BY] === MANAGER) yield `${metadata.namespace}/${name}`;
    }),
    watch(Node, function* (node, old, view, type) {
      if (type === "MODIFIED" && old && same(SHARES.of(node), SHARES.of(old))) return;
      for (const service of view.list(Service)) if (isProportional(service)) yield keyOf(service);
    }),
  ],
  reconcile(view, key, { random }) {
    const service = view.get(Service, ...splitKey(key));
    if (!service || service.metadata.deletionTimestamp) return [];
    const slices = ownSlices(view, service);
    if (!hasBackends(service))
      return service.spec.type === "ExternalName" ? slices.map((slice) => removal(EndpointSlice, slice)) : [];
    const families = familiesOf(service);
    const gone = slices.filter(({ addressType }) => !families.includes(addressType));
    const intents = families.flatMap((family) => {
      const own = slices.filter(({ addressType }) => addressType === family);
      const backends = backendsOf(view, service, family);
      const hinted = hintsFor(view, service, backends);
      const groups = byPorts(backends.map((backend) => withHints(backend, hinted)));
      return [...settle({ service, family }, own, groups, random), ...told({ service, family }, own, hinted)];
    });
    return [...intents, ...gone.map((slice) => removal(EndpointSlice, slice))];
  },
};

/** Whose addresses of which family a slice has. */
type About = { service: Readonly<Service>; family: string };

function withHints(backend: Backend, { hints }: Hinted): Backend {
  const own = hints.get(backend.pod.metadata.uid ?? "");
  return own ? { ...backend, hints: own } : backend;
}

/** Whether a Service that wants its zones to share has that, when it begins and as long as it has not. */
function told({ service, family }: About, slices: readonly Slice[], { hints, refused }: Hinted): Intent[] {
  if (!isProportional(service)) return [];
  if (refused) return [warning(service, "TopologyAwareHintsDisabled", `${refused}, addressType: ${family}`)];
  const had = slices.some(({ endpoints }) => endpoints?.some((endpoint) => endpoint.hints));
  if (had || hints.size === 0) return [];
  const message = `Topology Aware Hints has been enabled, addressType: ${family}`;
  return [normal(service, "TopologyAwareHintsEnabled", message)];
}

function ownSlices(view: View, service: Readonly<Service>): Slice[] {
  return view
    .owned(EndpointSlice, service.metadata.uid ?? "")
    .filter(
      (slice) =>
        controllerOf(slice)?.uid === service.metadata.uid &&
        slice.metadata.labels?.[MANAGED_BY] === MANAGER &&
        !slice.metadata.deletionTimestamp,
    );
}

type Group = { ports: BackendPort[]; backends: Backend[] };

/** Pods may have the same named port under different numbers; all endpoints of a slice have the same ports. */
function byPorts(backends: readonly Backend[]): Group[] {
  const groups = new Map<string, Group>();
  for (const backend of backends) {
    const id = JSON.stringify(backend.ports);
    const group = groups.get(id);
    if (group) group.backends.push(backend);
    else groups.set(id, { ports: backend.ports, backends: [backend] });
  }
  // A Service without pods has one empty slice, so that its watchers can tell "none" from "not known yet".
  return groups.size > 0 ? [...groups.values()] : [{ ports: [], backends: [] }];
}

type Random = () => number;

function settle(about: About, slices: readonly Slice[], groups: readonly Group[], random: Random): Intent[] {
  const fitting = groups.map(({ ports }) => slices.filter((slice) => same(slice.ports ?? [], ports)));
  const kept = new Set(fitting.flat());
  const spare = slices.filter((slice) => !kept.has(slice));
  const intents = groups.flatMap((group, i) => settleGroup(about, fitting[i] ?? [], spare, group, random));
  return [...intents, ...spare.map((slice) => removal(EndpointSlice, slice))];
}

/**
 * Endpoints stay in the slice they are in; new ones fill up what has room, so that few slices change. `spare` slices
 * are of ports that no pod has any longer: they are used before new ones are made.
 */
function settleGroup(
  { service, family }: About,
  slices: readonly Slice[],
  spare: Slice[],
  { ports, backends }: Group,
  random: Random,
): Intent[] {
  const missing = new Map(backends.map((backend) => [backend.pod.metadata.uid ?? "", endpointOf(backend)]));
  const contents = slices.map((slice) => {
    const kept: Endpoint[] = [];
    for (const { targetRef: ref } of slice.endpoints ?? []) {
      const endpoint = missing.get(ref?.uid ?? "");
      if (!endpoint) continue;
      missing.delete(ref?.uid ?? "");
      kept.push(endpoint);
    }
    return { slice, endpoints: kept };
  });
  const fresh = [...missing.values()];
  for (const { endpoints } of contents) endpoints.push(...fresh.splice(0, Math.max(0, MOST - endpoints.length)));
  const intents = contents.flatMap(({ slice, endpoints }, i) =>
    endpoints.length === 0 && (backends.length > 0 || i > 0)
      ? [removal(EndpointSlice, slice)]
      : update(service, slice, ports, endpoints),
  );
  while (fresh.length > 0 || contents.length + intents.length === 0) {
    const reused = spare.shift();
    const endpoints = fresh.splice(0, MOST);
    if (reused) intents.push(...update(service, reused, ports, endpoints));
    else
      intents.push({
        do: "create",
        kind: EndpointSlice,
        object: sliceOf(Service, service, sliceLabels(service), { addressType: family, endpoints, ports }, random),
      });
  }
  return intents;
}

function endpointOf({ pod, address, ready, serving, terminating, hostname, zone, hints }: Backend): Endpoint {
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetRef(pod),
    ...(zone && { zone }),
    ...(hints && { hints }),
  };
}

const sliceLabels = (service: Readonly<Service>): Record<string, string> => ({
  ...labelsOf(service),
  [MANAGED_BY]: MANAGER,
  [SERVICE_NAME]: service.metadata.name ?? "",
});

export type Content = Pick<EndpointSlice, "endpoints" | "ports" | "addressType">;

/** A new slice about the owner. */
export function sliceOf(
  kind: Kind,
  owner: Readonly<KubeObject>,
  labels: Record<string, string>,
  content: Content,
  random: Random,
): EndpointSlice {
  const base = `${owner.metadata?.name}-`;
  return {
    apiVersion: EndpointSlice.apiVersion,
    kind: EndpointSlice.kind,
    metadata: {
      name: generatedName(base, random),
      generateName: base,
      namespace: owner.metadata?.namespace,
      labels,
      ownerReferences: [controllerRef(kind, owner)],
    },
    ...content,
  };
}

function update(service: Readonly<Service>, slice: Slice, ports: BackendPort[], endpoints: Endpoint[]): Intent[] {
  const labels = sliceLabels(service);
  const asIs = same(ports, slice.ports ?? []) && same(endpoints, slice.endpoints ?? []);
  if (asIs && same(labels, slice.metadata.labels)) return [];
  const object: EndpointSlice = { ...slice, metadata: { ...slice.metadata, labels }, ports, endpoints };
  return [{ do: "update", kind: EndpointSlice, object }];
}
