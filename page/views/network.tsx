import { useState } from "preact/hooks";
import type { EndpointSlice, Ingress, Service } from "../api/objects.ts";
import { endpointsOf, isOurs, leadsOnlyTo, publicIngress, type Route, routesOf } from "../facts/network.ts";
import { requestsOf } from "../facts/requests.ts";
import { useRequests } from "../parts/figures.ts";
import { History } from "../parts/history.tsx";
import { Action, Badge, FreshnessLine, Rows } from "../parts/parts.tsx";
import { Answering, REQUEST_HEADS, RequestCells, RequestsLine } from "../parts/requests.tsx";
import { useClient, useFreshness, useObjects, usePaths } from "../state/cluster.ts";
import { href } from "../state/route.ts";
import { namespace as chosenNamespace } from "../state/session.ts";
import { RouteTables } from "./routes.tsx";

function useNetwork(namespace?: string) {
  const { services, slices, ingresses } = usePaths(namespace);
  return {
    services: useObjects<Service>(services),
    slices: useObjects<EndpointSlice>(slices),
    ingresses: useObjects<Ingress>(ingresses),
    ...useFreshness([services, slices, ingresses]),
  };
}

const addressesOf = ({ spec }: Service): string =>
  spec.externalName ?? (spec.clusterIPs ?? [spec.clusterIP ?? ""]).join(", ");

const portsOf = ({ spec }: Service): string =>
  (spec.ports ?? [])
    .map(({ name, port, protocol }) => `${port}/${protocol ?? "TCP"}${name ? ` ${name}` : ""}`)
    .join(", ");

export function Network() {
  const { services, slices, ingresses, freshness } = useNetwork();
  const now = useRequests(chosenNamespace.value);
  return (
    <>
      <h1>Network</h1>
      <FreshnessLine of={freshness} />
      <Rows
        heads={[
          "Service",
          "Namespace",
          "Type",
          "Address",
          "Ports",
          "Pods that answer",
          ...REQUEST_HEADS,
          "From outside",
        ]}
      >
        {services.map((service) => {
          const { namespace = "", name, uid } = service.metadata;
          const endpoints = endpointsOf(service, slices);
          const ready = endpoints.filter((endpoint) => endpoint.ready).length;
          return (
            <tr key={uid}>
              <th scope="row">
                <a href={href("network", namespace, name)}>{name}</a>
              </th>
              <td>{namespace}</td>
              <td>{service.spec.type}</td>
              <td>{addressesOf(service)}</td>
              <td>{portsOf(service)}</td>
              <td>
                <Badge mood={ready > 0 ? "good" : endpoints.length > 0 ? "bad" : "done"}>
                  {`${ready} of ${endpoints.length}`}
                </Badge>
              </td>
              <RequestCells of={requestsOf(now, "services", `${namespace}/${name}`)} />
              <td>
                <Hosts routes={routesOf(service, ingresses)} />
              </td>
            </tr>
          );
        })}
      </Rows>
      <RouteTables now={now} />
      <p class="hint">
        Requests are those by Ingresses and routes, over half a minute; asked for every 15 s while this is looked at.
        Failed are answers of 5xx, and what had none; latency is until an answer begins.
      </p>
    </>
  );
}

const Hosts = ({ routes }: { routes: readonly Route[] }) => (
  <ul class="plain">
    {routes.map(({ host, path, tls, ingress }) => (
      <li key={`${ingress.metadata.uid}${host}${path}`}>
        {host.includes("*") ? (
          `${host}${path}`
        ) : (
          <a href={`${tls ? "https" : "http"}://${host}${path}`} target="_blank" rel="noopener noreferrer">
            {`${host}${path}`}
          </a>
        )}
        {tls && " (TLS)"}
      </li>
    ))}
  </ul>
);

export function ServiceView({ namespace, name }: { namespace: string; name: string }) {
  const { services, slices, ingresses, listed, freshness } = useNetwork(namespace);
  const now = useRequests(namespace);
  const service = services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (!service)
    return listed ? (
      <p class="notice">{`There is no Service ${namespace}/${name}.`}</p>
    ) : (
      <FreshnessLine of={freshness} />
    );
  const routes = routesOf(service, ingresses);
  return (
    <>
      <h1>
        {name} <small>{`Service in ${namespace}`}</small>
      </h1>
      <FreshnessLine of={freshness} />
      <p>{`${service.spec.type} at ${addressesOf(service)}, ports ${portsOf(service)}.`}</p>
      <RequestsLine now={now} of={requestsOf(now, "services", `${namespace}/${name}`)} />
      <div class="actions">
        <a class="button" href={href("any", "", "v1", "services", namespace, name)}>
          YAML
        </a>
      </div>
      <section aria-labelledby="answering">
        <h2 id="answering">Which pods answer</h2>
        <Answering service={service} slices={slices} now={now} />
      </section>
      <Outside service={service} routes={routes} />
      <History of={{ namespace, requests: `services/${name}` }} />
    </>
  );
}

/** The public address: an Ingress that the page makes, and takes away again. Those of others are left alone, and those that lead elsewhere, too. */
function Outside({ service, routes }: { service: Service; routes: readonly Route[] }) {
  const client = useClient();
  const [host, setHost] = useState("");
  const { namespace = "" } = service.metadata;
  const path = `/apis/networking.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/ingresses`;
  const own = routes.filter(({ ingress }) => isOurs(ingress) && leadsOnlyTo(service, ingress));
  const ours = [...new Set(own.map(({ ingress }) => ingress.metadata.name))];
  const port = service.spec.ports?.find(({ protocol = "TCP" }) => protocol === "TCP")?.port;
  const open = async () => {
    if (host.trim() === "" || port === undefined) throw new Error("Say the host name that visitors will use.");
    await client.json(path, { method: "POST", body: publicIngress(service, host.trim(), port) });
    setHost("");
  };
  const close = () =>
    Promise.all(ours.map((name) => client.json(`${path}/${encodeURIComponent(name)}`, { method: "DELETE" })));
  return (
    <section aria-labelledby="outside">
      <h2 id="outside">From outside</h2>
      <Hosts routes={routes} />
      <div class="actions">
        {ours.length > 0 ? (
          <Action label="Take public address away" question="Will nobody need it any more?" run={close} />
        ) : (
          port !== undefined && (
            <>
              <label class="inline">
                Host name
                <input
                  spellcheck={false}
                  autocapitalize="none"
                  placeholder="app.example.com"
                  value={host}
                  onInput={({ currentTarget }) => setHost(currentTarget.value)}
                />
              </label>
              <Action label="Make public" run={open} />
            </>
          )
        )}
      </div>
      <p class="hint">The name has to lead to the cluster, or to a node where visitors are on its network.</p>
    </section>
  );
}
