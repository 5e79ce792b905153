/**
 * `/proxy` of nodes, pods and services: which program is meant, and whose node reaches it.
 * https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { isIp, specialRange } from "../../kinds/validation/ip.ts";
import { ApiError, badRequest, notFound } from "../../lib/status.ts";
import type { ProxyRequest } from "../../protocol/link.ts";
import type { StoreView } from "../view.ts";

type Target = { node: string } & Omit<ProxyRequest, "id" | "kind">;
type Named = { scheme: "http" | "https"; name: string; port: string };
/** `uid` is that of the one pod that is meant. */
export type ProxyQuestion = { view: StoreView; random: () => number; namespace: string; uid?: string };

const PROXIES: Readonly<Record<string, (question: ProxyQuestion, named: Named, id: string) => Target>> = {
  nodes: nodeTarget,
  pods: podTarget,
  services: serviceTarget,
};

export const isProxied = (groupResource: string): boolean => groupResource in PROXIES;

const unavailable = (message: string) => new ApiError(503, "ServiceUnavailable", message);

/** `id` is `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. Throws 400, 404 and 503 in kube-apiserver's words. */
export function proxyTarget(question: ProxyQuestion, groupResource: string, id: string): Target {
  const target = PROXIES[groupResource];
  if (!target) throw new Error(`${groupResource} have no proxy`);
  const named = splitName(id);
  if (!named) throw badRequest(`invalid ${groupResource.slice(0, -1)} request ${JSON.stringify(id)}`);
  return target(question, named, id);
}

/** A server behind a Service that speaks TLS; `ca` in PEM, "" for none of its own. */
export type ServiceServer = {
  service: { namespace: string; name: string; port: number };
  ca: string;
  insecure?: boolean;
};

/** A stream to one of its pods. Throws when there is none. */
export function serviceGrant(
  { service, ca, insecure }: ServiceServer,
  view: StoreView,
  effects: { random(): number; uid(): string },
): { node: string; stream: ProxyRequest } {
  const { namespace, name, port } = service;
  const question = { view, random: effects.random, namespace };
  const { node, ...target } = proxyTarget(question, "services", `https:${name}:${port}`);
  const tls = { ca, serverName: `${name}.${namespace}.svc`, ...(insecure && { insecure }) };
  return { node, stream: { id: effects.uid(), kind: "proxy", ...target, tls } };
}

function splitName(id: string): Named | undefined {
  const parts = id.split(":");
  const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  if (parts.length > 3 || name === "" || !["", "http", "https"].includes(scheme)) return undefined;
  return { scheme: scheme === "https" ? "https" : "http", name, port };
}

/** Decimal text to a port, or what the kube-apiserver's dialer would say. */
function portOf(text: string, { scheme }: Named): number {
  if (text === "") return scheme === "https" ? 443 : 80;
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65536) return port;
  throw unavailable(`error trying to reach service: dial tcp: lookup tcp/${text}: unknown port`);
}

function nodeTarget({ view }: ProxyQuestion, named: Named): Target {
  const node = view.get(Node, "", named.name);
  if (!node) throw notFound({ group: "", resource: "nodes", name: named.name });
  const kubelet = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT;
  // By its usual port the node's own API is meant, also where it listens on another one, or nowhere.
  if (["", String(kubelet), String(KUBELET_PORT)].includes(named.port))
    return { node: named.name, scheme: "https", address: "", port: kubelet };
  const address = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  if (!address) throw badRequest("address not allowed");
  return { node: named.name, scheme: named.scheme, address, port: portOf(named.port, named) };
}

const KUBELET_PORT = 10_250;

function podTarget({ view, namespace, uid }: ProxyQuestion, named: Named): Target {
  const pod = view.get(Pod, namespace, named.name);
  if (!pod || (uid && pod.metadata.uid !== uid)) throw notFound({ group: "", resource: "pods", name: named.name });
  const first = pod.spec.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
  const address = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP;
  if (!address || !isIp(address) || specialRange(address) || !pod.spec.nodeName)
    throw badRequest("address not allowed");
  const port = portOf(named.port || String(first ?? ""), named);
  return { node: pod.spec.nodeName, scheme: named.scheme, address, port };
}

/** Any of the pods behind the Service's port: what its Endpoints name beside pods is not reached this way. */
function serviceTarget({ view, random, namespace }: ProxyQuestion, named: Named, id: string): Target {
  const service = view.get(Service, namespace, named.name);
  let portName = named.port;
  if (/^\d+$/.test(portName)) {
    if (!service) throw notFound({ group: "", resource: "services", name: named.name });
    const port = service.spec?.ports?.find(({ port }) => port === Number(portName));
    if (!port) throw unavailable(`no service port ${Number(portName)} found for service "${named.name}"`);
    portName = port.name ?? "";
  }
  const endpoints = view.get(Endpoints, namespace, named.name);
  if (!endpoints) throw notFound({ group: "", resource: "services", name: named.name });
  const targets = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find(({ name }) => (name ?? "") === portName)?.port;
    if (port === undefined) return [];
    return addresses.flatMap(({ ip, targetRef }) => {
      const pod = targetRef?.namespace === namespace ? view.get(Pod, namespace, targetRef.name ?? "") : undefined;
      const isPods = pod?.status?.podIPs?.some((its) => its.ip === ip) && pod.spec.nodeName;
      return isPods ? [{ node: isPods, scheme: named.scheme, address: ip, port }] : [];
    });
  });
  const chosen = targets[Math.floor(random() * targets.length)];
  const shown = (endpoints.subsets ?? []).length === 0 ? named.name : id;
  if (!chosen) throw unavailable(`no endpoints available for service ${JSON.stringify(shown)}`);
  return chosen;
}
