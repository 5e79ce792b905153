/** What the cluster's nodes are told, and how what they ask is answered. */
import type { Api } from "./api/app.ts";
import { bodyOf, formerBodyOf } from "./api/bodies.ts";
import type { StoreView } from "./api/view.ts";
import type { Digest } from "./controllers/controller.ts";
import { Node } from "./kinds/core/node.ts";
import { PersistentVolume } from "./kinds/core/persistent-volume.ts";
import { SOURCES as GATEWAY_SOURCES } from "./kinds/gateway/sources.ts";
import type { Kinds } from "./kinds/registry.ts";
import type { CertificateAndKey, Certificates } from "./lib/certificates.ts";
import { type ClusterConfig, nthAddress } from "./lib/config.ts";
import type { Effects } from "./lib/effects.ts";
import { isWatch } from "./lib/is-watch.ts";
import { nodesWithWork } from "./lib/local-volumes.ts";
import type { KubeObject } from "./lib/object.ts";
import { badRequest } from "./lib/status.ts";
import { type Objects, routing, type Write } from "./link/downlink.ts";
import type { PodFacts } from "./link/policies/facts.ts";
import { POLICIES } from "./link/policies/world.ts";
import {
  type Json,
  NODE_RESOURCES,
  PROTOCOL_VERSION,
  type ToCluster,
  type ToNode,
  WIREGUARD_KEY,
} from "./protocol/link.ts";
import type { Change, Store } from "./storage/store.ts";

type Call = Extract<ToCluster, { type: "call" }>;
type Welcome = Extract<ToNode, { type: "welcome" }>;

export function writeOf(change: Change): Write {
  const { resource, namespace, name, type } = change;
  const object = type === "DELETED" ? undefined : bodyOf(change);
  return { resource, namespace, name, object, old: formerBodyOf(change) };
}

/** Every node that joins is told of all others. */
const ROUTES: Digest<Node, KubeObject> = { kind: Node, of: (node) => routing(node) };

/** Which nodes are to bring or remove which volume: mostly none. */
const WORKERS: Digest<PersistentVolume, readonly string[] | undefined> = {
  kind: PersistentVolume,
  of: (volume) => {
    const nodes = nodesWithWork(volume);
    return nodes.length > 0 ? nodes : undefined;
  },
};

export function objectsOf(view: StoreView, kinds: Kinds): Objects {
  return {
    get: (resource, namespace, name) => {
      const kind = kinds.preferred(resource);
      return kind && view.get(kind, namespace, name);
    },
    list: (resource) => {
      const kind = kinds.preferred(resource);
      if (resource === Node.groupResource) return [...view.digest(ROUTES).values()];
      return kind ? view.list(kind) : [];
    },
    podsIn: (namespace) => {
      const kind = kinds.preferred("pods");
      return kind ? view.pages(kind, namespace) : [];
    },
    podsOnNode: (node) => {
      const kind = kinds.preferred("pods");
      return kind ? view.onNode(kind, node) : [];
    },
    volumesWithWork: (node) =>
      [...view.digest(WORKERS)].flatMap(([key, nodes]) =>
        nodes?.includes(node) ? (view.get(PersistentVolume, "", key.slice(1)) ?? []) : [],
      ),
  };
}

/** An agent that missed more is told all anew, which costs less than to read what was. */
const MOST_MISSED = 2000;
const MENTIONED = ["configmaps", "secrets", "persistentvolumeclaims", "persistentvolumes"];
/** What nodes hear of, or of what follows from it. */
export const LINKED_RESOURCES: readonly string[] = [
  ...NODE_RESOURCES,
  "pods",
  ...MENTIONED,
  "namespaces",
  POLICIES,
  ...GATEWAY_SOURCES,
];
const MISSED_SCOPES = LINKED_RESOURCES.map((resource) => ({ resource }));

/**
 * The writes after `revision` that a node may have to hear of. Thousands of nodes ask at once after a deploy, so of other
 * nodes it tells what they are now, and of pods it parses those alone that name the node.
 */
export function missedBy(node: string, revision: number, store: Store, view: StoreView): Iterable<Write> | "expired" {
  if (store.revision() - revision > MOST_MISSED) return "expired";
  const changes = store.since(revision, MISSED_SCOPES);
  if (changes === "expired") return "expired";
  const routes = view.digest(ROUTES);
  const place = `"nodeName":${JSON.stringify(node)}`;
  const isElsewhere = ({ json, previous }: Change) => !json.includes(place) && !previous?.includes(place);
  return Iterator.from(changes).flatMap((change): Write[] => {
    const { resource, namespace, name } = change;
    if (resource === Node.groupResource)
      return [{ resource, namespace, name, object: routes.get(`/${name}`), old: undefined }];
    return resource === "pods" && isElsewhere(change) ? [] : [writeOf(change)];
  });
}

const PLACE = /"nodeName":"([^"\\]*)"/g;

/** Where pods were written after a revision: it is read from their text, which takes no parsing. Some may be too many. */
export function* podsSince(revision: number, store: Store): Iterable<{ namespace: string; node: string }> {
  const changes = store.since(revision, [{ resource: "pods" }]);
  if (changes === "expired") throw new Error(`nothing is known any more of revision ${revision}`);
  for (const { namespace, json, previous = "" } of changes)
    for (const text of json === previous ? [json] : [json, previous])
      for (const [, node = ""] of text.matchAll(PLACE)) yield { namespace, node };
}

/** Cluster DNS is answered by each node: policies speak of it as of the pods that answer elsewhere. */
export const clusterDns = (config: ClusterConfig): PodFacts => ({
  namespace: "kube-system",
  name: "kube-dns",
  labels: { "k8s-app": "kube-dns" },
  node: "",
  addresses: [dnsAddress(config)],
  ports: [
    { name: "dns", protocol: "UDP", port: 53 },
    { name: "dns-tcp", protocol: "TCP", port: 53 },
  ],
});

const dnsAddress = ({ serviceCIDR }: ClusterConfig) => nthAddress(serviceCIDR, 10);

/** What an agent asks for, or undefined when no such request can be made. */
function requestOf({ method, path, contentType, body }: Omit<Call, "type" | "id">): Request | undefined {
  try {
    return new Request(new URL(path, "https://cluster"), {
      method,
      headers: {
        "content-type": contentType ?? "application/json",
        accept: "application/json",
        "user-agent": "skerry-agent",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    return undefined;
  }
}

/** Answers an API request as the node, with all that applies to anyone's. */
export async function answerCall(api: Api, node: string, call: Call): Promise<{ code: number; body: Json }> {
  const request = requestOf(call);
  // A watch would never be over; agents hear of changes on their socket.
  if (!request || isWatch(request))
    return { code: 400, body: badRequest("the call is no request that can be answered").status() as unknown as Json };
  const user = { name: `system:node:${node}`, groups: ["system:nodes", "system:authenticated"] };
  const response = await api.call(user, request);
  const text = await response.text();
  try {
    return { code: response.status, body: JSON.parse(text) as Json };
  } catch {
    return { code: response.status, body: text };
  }
}

export type WelcomeParts = {
  effects: Effects;
  config: ClusterConfig;
  authority: CertificateAndKey;
  certificates: Pick<Certificates, "issueServer">;
  clusterId: string;
};

type Issued = { at: number; certificate: Promise<CertificateAndKey> };

/** How long nodes are given the same certificate, which is good for a year. */
const SAME_CERTIFICATE_MS = 24 * 3_600_000;
const issued = new WeakMap<WelcomeParts["authority"], Issued>();

/**
 * A certificate for the API that agents serve to their pods. It says the same whichever node has it, so one is made for
 * all: thousands of nodes come back at once after a deploy, and each would cost 12 ms.
 */
function apiCertificate({ effects, config, authority, certificates }: WelcomeParts): Promise<CertificateAndKey> {
  const now = effects.now();
  const known = issued.get(authority);
  if (known && now - known.at < SAME_CERTIFICATE_MS) return known.certificate;
  const service = "kubernetes.default.svc";
  const dns = ["kubernetes", "kubernetes.default", service, `${service}.${config.clusterDomain}`, "localhost"];
  const names = { dns, ip: [nthAddress(config.serviceCIDR, 1), "127.0.0.1"] };
  const certificate = certificates.issueServer(authority, "kubernetes", names, now);
  issued.set(authority, { at: now, certificate });
  certificate.catch(() => issued.delete(authority)); // the next asks again
  return certificate;
}

/** What an agent learns first. */
export async function welcome(parts: WelcomeParts): Promise<Welcome> {
  const { effects, config, authority, clusterId } = parts;
  const { certificate, key } = await apiCertificate(parts);
  return {
    type: "welcome",
    version: PROTOCOL_VERSION,
    now: effects.now(),
    clusterId,
    clusterDomain: config.clusterDomain,
    dnsAddress: dnsAddress(config),
    apiAddress: nthAddress(config.serviceCIDR, 1),
    serviceCIDR: config.serviceCIDR,
    ...(config.ipv6 && { serviceCIDRv6: config.ipv6.serviceCIDR }),
    ca: authority.certificate,
    apiCertificate: certificate,
    apiKey: key,
    told: [...LINKED_RESOURCES, WIREGUARD_KEY, "daemonEndpoints"].join(),
    ...(config.controllers ? {} : { renewsLease: true }),
  };
}
