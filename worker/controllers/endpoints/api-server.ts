import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { SERVICE_NAME } from "../../kinds/discovery/service-slices.ts";
import { same } from "../../kinds/paths.ts";
import type { Controller, Intent } from "../controller.ts";
import { splitKey, watch } from "../keys.ts";

const KEY = "default/kubernetes";
const PORT = { name: "https", port: 443, protocol: "TCP" };
/** Both are made here, so nobody needs to make the one from the other. */
const LABELS = { "endpointslice.kubernetes.io/skip-mirror": "true" };

function* apiServerKey({ metadata }: { metadata?: { namespace?: string; name?: string } }): Iterable<string> {
  if (`${metadata?.namespace}/${metadata?.name}` === KEY) yield KEY;
}

/**
 * The endpoints of the Service `kubernetes`. There is no machine on which the API server runs: each node answers for it
 * at the Service's own address, so that is where programs which look endpoints up find it.
 */
export const apiServerEndpointsController: Controller = {
  name: "kubernetes-endpoints-controller",
  watches: [watch(Service, apiServerKey), watch(Endpoints, apiServerKey), watch(EndpointSlice, apiServerKey)],
  reconcile(view, key) {
    const [namespace, name] = splitKey(key);
    const address = view.get(Service, namespace, name)?.spec?.clusterIP;
    if (!address) return [];
    const endpoints = view.get(Endpoints, namespace, name);
    const slice = view.get(EndpointSlice, namespace, name);
    const subsets = [{ addresses: [{ ip: address }], ports: [PORT] }];
    const body = {
      addressType: "IPv4",
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [PORT],
    };
    const metadata = { namespace, name };
    const intents: Intent[] = [];
    if (!endpoints) {
      const object: Endpoints = { metadata: { ...metadata, labels: LABELS }, subsets };
      intents.push({ do: "create", kind: Endpoints, object });
    } else if (!same(endpoints.subsets, subsets))
      intents.push({ do: "update", kind: Endpoints, object: { ...endpoints, subsets } as Endpoints });
    if (!slice) {
      const labels = { [SERVICE_NAME]: name };
      intents.push({ do: "create", kind: EndpointSlice, object: { metadata: { ...metadata, labels }, ...body } });
    } else if (!same(slice.endpoints, body.endpoints) || !same(slice.ports, body.ports))
      intents.push({ do: "update", kind: EndpointSlice, object: { ...slice, ...body } as EndpointSlice });
    return intents;
  },
};
