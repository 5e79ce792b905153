import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodReady, isPodTerminal, isSidecar } from "../../kinds/core/pod-conditions.ts";
import { Service } from "../../kinds/core/service.ts";
import type { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { SERVICE_NAME } from "../../kinds/discovery/service-slices.ts";
import type { CoreV1ServicePort } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { ipFamily } from "../../kinds/validation/ip.ts";
import { matchesLabels } from "../../lib/selectors.ts";
import type { View, Watch } from "../controller.ts";
import { keyOf, watch } from "../keys.ts";

export const ZONE = "topology.kubernetes.io/zone";
export const HEADLESS = "service.kubernetes.io/headless";

/** A port as it is on one pod. */
export type BackendPort = { name: string; protocol: string; port: number; appProtocol?: string };

/** A pod behind a Service. */
export type Backend = {
  pod: Readonly<Pod>;
  address: string;
  ports: BackendPort[];
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  hostname?: string;
  zone?: string;
  hints?: NonNullable<EndpointSlice["endpoints"]>[number]["hints"];
};

export const isHeadless = (service: Readonly<Service>): boolean => service.spec.clusterIP === "None";

/** Services whose endpoints are made from pods; those without a selector are their makers' own affair. */
export const hasBackends = ({ spec }: Readonly<Service>): boolean =>
  spec.type !== "ExternalName" && Object.keys(spec.selector ?? {}).length > 0;

const selects = (service: Readonly<Service>, pod: Readonly<Pod>): boolean =>
  hasBackends(service) && matchesLabels(service.spec.selector, pod.metadata.labels);

/** The writes to pods that a Service's endpoints follow. */
export function podWatch(): Watch {
  return watch(Pod, function* (pod, old, view, type) {
    if (type === "MODIFIED" && same(seen(pod), seen(old ?? pod))) return;
    for (const service of view.list(Service, pod.metadata.namespace ?? ""))
      if (selects(service, pod) || (old && selects(service, old))) yield keyOf(service);
  });
}

const seen = ({ metadata, spec, status }: Readonly<Pod>): unknown => [
  metadata.labels,
  metadata.deletionTimestamp,
  spec.nodeName,
  spec.hostname,
  spec.subdomain,
  status?.podIPs,
  status?.podIP,
  isPodReady({ status }),
  isPodTerminal({ status }),
];

/** Families of a Service's addresses; those from a time when it had no field for them have IPv4. */
export const familiesOf = ({ spec }: Readonly<Service>): readonly string[] =>
  spec.ipFamilies?.length ? spec.ipFamilies : ["IPv4"];

/** Pods that a Service selects and that have an address of the family, in order of their names. */
export function backendsOf(view: View, service: Readonly<Service>, family = familiesOf(service)[0]): Backend[] {
  if (!hasBackends(service)) return [];
  return view.list(Pod, service.metadata.namespace ?? "").flatMap((pod) => {
    if (isPodTerminal(pod) || !selects(service, pod)) return [];
    const address = addressesOf(pod).find((ip) => ipFamily(ip) === family);
    return address ? [backendOf(view, service, pod, address)] : [];
  });
}

const addressesOf = ({ status }: Readonly<Pod>): string[] =>
  status?.podIPs?.length ? status.podIPs.flatMap(({ ip }) => ip ?? []) : [status?.podIP ?? ""];

function backendOf(view: View, service: Readonly<Service>, pod: Readonly<Pod>, address: string): Backend {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const { hostname, subdomain, nodeName } = pod.spec;
  const node = nodeName ? view.get(Node, "", nodeName) : undefined;
  const zone = node?.metadata.labels?.[ZONE];
  return {
    pod,
    address,
    ports: (service.spec.ports ?? []).flatMap((port) => portOn(pod, port)),
    ready: Boolean(service.spec.publishNotReadyAddresses) || (serving && !terminating),
    serving,
    terminating,
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    ...(zone && { zone }),
  };
}

/** A target port given by name is what the pod's containers call so; a pod without it has no such port. */
function portOn({ spec }: Readonly<Pod>, servicePort: CoreV1ServicePort): BackendPort[] {
  const { name = "", protocol = "TCP", port, targetPort = port, appProtocol } = servicePort;
  const make = (number: number) => [{ name, protocol, port: number, ...(appProtocol && { appProtocol }) }];
  if (typeof targetPort === "number") return make(targetPort);
  for (const container of [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)])
    for (const candidate of container.ports ?? [])
      if (candidate.name === targetPort && (candidate.protocol ?? "TCP") === protocol)
        return make(candidate.containerPort);
  return [];
}

export function targetRef({ metadata: { namespace, name, uid } }: Readonly<Pod>) {
  return { kind: "Pod", namespace, name, uid };
}

/** Labels of the Service that its endpoints take over, with the mark of those that have no address of their own. */
export function labelsOf(service: Readonly<Service>): Record<string, string> {
  const { [HEADLESS]: _, [SERVICE_NAME]: __, ...labels } = service.metadata.labels ?? {};
  return isHeadless(service) ? { ...labels, [HEADLESS]: "" } : labels;
}
