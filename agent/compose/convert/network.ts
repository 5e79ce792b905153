/** Services and Ingresses: by which names and at which addresses a service is reached. */
import type { Value } from "../tree.ts";
import { type Context, type KubernetesObject, ownLabel, selectorOf } from "./model.ts";
import type { Ports } from "./ports.ts";
import { objectName } from "./values.ts";

const isLabel = (name: string) => /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);

/**
 * Every name of a service leads to its pods themselves (a headless Service), so that every port of theirs is reached by
 * it, listed or not, as in Compose, which asks no health either. Ingresses do: they have a Service of their own.
 */
export function networkObjects(context: Context, ports: Ports): KubernetesObject[] {
  const { name, project } = context;
  const selector = selectorOf(project.name, name);
  const inside = (called: string) =>
    context.object("v1", "Service", called, {
      spec: {
        clusterIP: "None",
        publishNotReadyAddresses: true,
        selector,
        ...(ports.inside.length > 0 && { ports: ports.inside }),
      },
    });
  const outside = (called: string, type: string, list: Ports["inside"]) =>
    list.length > 0 ? [context.object("v1", "Service", called, { spec: { type, selector, ports: list } })] : [];
  return [
    inside(name),
    ...[...aliasesOf(context)].map(inside),
    ...outside(`${name.slice(0, 53)}-published`, "LoadBalancer", ports.outside),
    ...outside(`${name.slice(0, 53)}-node-port`, "NodePort", ports.anywhere),
    ...ingressOf(context, ports, selector),
  ];
}

/** The container's name, its aliases in networks, and what those call it that link it. */
function aliasesOf({ value, service, name, project }: Context): Set<string> {
  const found = new Set<string>();
  const add = (alias: string, told: Value) => {
    if (isLabel(alias)) found.add(alias);
    else told.note(`${alias} is no name in DNS`, `others reach it as ${name}`);
  };
  for (const [network, told] of value.get("networks")?.entries() ?? []) {
    if (!project.networks.has(network) && network !== "default") told.invalid(`${network} is not among the networks`);
    if (told.isNull) continue;
    for (const alias of told.get("aliases")?.items() ?? []) add(alias.text() ?? "", alias);
    for (const fixed of ["ipv4_address", "ipv6_address", "link_local_ips", "mac_address"])
      told.get(fixed)?.note("a pod's addresses are the cluster's to give", `others reach it as ${name}`);
  }
  const container = value.get("container_name");
  if (container) add(container.text() ?? "", container);
  for (const other of project.services.values())
    for (const link of other.get("links")?.items() ?? []) {
      const [from, alias] = (link.text() ?? "").split(":");
      if (from === service && alias) add(alias, link);
    }
  found.delete(name);
  return found;
}

/** The label `skerry.dev/ingress: HOST[/PATH]`, of several joined by commas. */
function ingressOf(context: Context, ports: Ports, selector: Record<string, string>): KubernetesObject[] {
  const { value, name } = context;
  const told = ownLabel(value, "ingress");
  if (!told) return [];
  const wanted =
    ownLabel(value, "ingress-port")?.integer() ?? ports.inside.find(({ protocol }) => protocol === "TCP")?.port;
  if (wanted === undefined || !ports.inside.some(({ port, protocol }) => port === wanted && protocol === "TCP"))
    return (
      told.invalid(wanted ? `it has no port ${wanted}` : "it has no port to lead to", "list it under expose") ?? []
    );
  const hosts = (told.text() ?? "").split(",").map((text) => text.trim());
  const backing = context.object("v1", "Service", `${name.slice(0, 55)}-ingress`, {
    spec: { selector, ports: ports.inside.filter(({ port, protocol }) => port === wanted && protocol === "TCP") },
  });
  const backend = { service: { name: backing.metadata.name, port: { number: wanted } } };
  const rules = hosts.map((text) => {
    const [host, ...path] = text.split("/");
    return { host, http: { paths: [{ path: `/${path.join("/")}`, pathType: "Prefix", backend }] } };
  });
  const secretName = ownLabel(value, "ingress-tls")?.text();
  const tls = secretName && { tls: [{ hosts: rules.map(({ host }) => host), secretName }] };
  return [backing, context.object("networking.k8s.io/v1", "Ingress", objectName(name), { spec: { ...tls, rules } })];
}
