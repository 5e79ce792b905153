/** Ingresses and HTTPRoutes: where they lead, and what is asked for by them. */
import type { EndpointSlice, HttpRoute, Ingress, KubeObject, Service } from "../api/objects.ts";
import type { RequestsNow } from "../api/requests.ts";
import { httpRouteLeads, ingressLeads, type Leads } from "../facts/network.ts";
import { requestsOf } from "../facts/requests.ts";
import { useRequests } from "../parts/figures.ts";
import { History } from "../parts/history.tsx";
import { FreshnessLine, Rows } from "../parts/parts.tsx";
import { Answering, REQUEST_HEADS, RequestCells, RequestsLine } from "../parts/requests.tsx";
import { useFreshness, useHasHttpRoutes, useObjects, usePaths } from "../state/cluster.ts";
import { href } from "../state/route.ts";

type Routing = {
  kind: string;
  group: "ingresses" | "httproutes";
  path: "ingresses" | "httpRoutes";
  yaml: readonly string[];
  leads(object: KubeObject): Leads;
};

const INGRESSES: Routing = {
  kind: "Ingress",
  group: "ingresses",
  path: "ingresses",
  yaml: ["networking.k8s.io", "v1", "ingresses"],
  leads: (object) => ingressLeads(object as Ingress),
};
const HTTP_ROUTES: Routing = {
  kind: "HTTPRoute",
  group: "httproutes",
  path: "httpRoutes",
  yaml: ["gateway.networking.k8s.io", "v1", "httproutes"],
  leads: (object) => httpRouteLeads(object as HttpRoute),
};

export const routingOf = (group: string): Routing | undefined =>
  [INGRESSES, HTTP_ROUTES].find((known) => known.group === group);

export function RouteTables({ now }: { now: RequestsNow }) {
  const hasHttpRoutes = useHasHttpRoutes();
  return (
    <>
      <RouteTable of={INGRESSES} now={now} />
      {hasHttpRoutes && <RouteTable of={HTTP_ROUTES} now={now} />}
    </>
  );
}

function RouteTable({ of: { kind, group, path, leads }, now }: { of: Routing; now: RequestsNow }) {
  const where = usePaths()[path];
  const objects = useObjects(where);
  const { freshness } = useFreshness([where]);
  return (
    <section aria-labelledby={group}>
      <h2 id={group}>{kind === "Ingress" ? "Ingresses" : `${kind}s`}</h2>
      <FreshnessLine of={freshness} />
      {objects.length === 0 ? (
        <p class="hint">There are none.</p>
      ) : (
        <Rows heads={[kind, "Namespace", "Hosts", "Services", ...REQUEST_HEADS]}>
          {objects.map((object) => {
            const { namespace = "", name, uid } = object.metadata;
            const { hosts, services } = leads(object);
            return (
              <tr key={uid}>
                <th scope="row">
                  <a href={href("network", group, namespace, name)}>{name}</a>
                </th>
                <td>{namespace}</td>
                <td>{hosts.join(", ")}</td>
                <td>
                  <ServiceLinks of={services} />
                </td>
                <RequestCells of={requestsOf(now, group, `${namespace}/${name}`)} />
              </tr>
            );
          })}
        </Rows>
      )}
    </section>
  );
}

const ServiceLinks = ({ of }: { of: readonly string[] }) => (
  <ul class="plain">
    {of.map((key) => {
      const [namespace = "", name = ""] = key.split("/");
      return (
        <li key={key}>
          <a href={href("network", namespace, name)}>{name}</a>
        </li>
      );
    })}
  </ul>
);

export function RouteView({ of, namespace, name }: { of: Routing; namespace: string; name: string }) {
  const { kind, group, path, yaml, leads } = of;
  const paths = usePaths(namespace);
  const objects = useObjects(paths[path]);
  const services = useObjects<Service>(paths.services);
  const slices = useObjects<EndpointSlice>(paths.slices);
  const { listed, freshness } = useFreshness([paths[path], paths.services, paths.slices]);
  const now = useRequests(namespace);
  const object = objects.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (!object)
    return listed ? (
      <p class="notice">{`There is no ${kind} ${namespace}/${name}.`}</p>
    ) : (
      <FreshnessLine of={freshness} />
    );
  const { hosts, services: keys } = leads(object);
  return (
    <>
      <h1>
        {name} <small>{`${kind} in ${namespace}`}</small>
      </h1>
      <FreshnessLine of={freshness} />
      <p>{`Of ${hosts.length === 0 ? "any host" : hosts.join(", ")}.`}</p>
      <RequestsLine now={now} of={requestsOf(now, group, `${namespace}/${name}`)} />
      <div class="actions">
        <a class="button" href={href("any", ...yaml, namespace, name)}>
          YAML
        </a>
      </div>
      {services
        .filter(({ metadata }) => keys.includes(`${metadata.namespace}/${metadata.name}`))
        .map((service) => (
          <section key={service.metadata.uid} aria-labelledby={service.metadata.uid}>
            <h2 id={service.metadata.uid}>
              {"Which pods answer for "}
              <a href={href("network", service.metadata.namespace ?? "", service.metadata.name)}>
                {service.metadata.name}
              </a>
            </h2>
            <Answering service={service} slices={slices} now={now} />
          </section>
        ))}
      <History of={{ namespace, requests: `${group}/${name}` }} />
    </>
  );
}
