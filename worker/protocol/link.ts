import type { Waker } from "../kinds/ingress/idle.ts";

/**
 * The wire between a node's agent and the Cluster object: JSON text messages on one WebSocket.
 *
 * The agent opens it and says `hello`. The cluster answers `welcome`, then either `changes` since the agent's revision
 * or a `snapshot`, then `changes` as they happen. Everything an agent writes (its Node, pod statuses, events, token
 * requests) is an ordinary API request, sent as `call` and answered by `reply`, so authorization and admission apply
 * to it as to anyone. Bytes (exec, logs, port-forward) go through the Relay: `stream` asks the agent to dial it.
 */
export const PROTOCOL_VERSION = 5;
/**
 * Clusters and agents are not renewed at one time, so each speaks the older one's version, down to this one. A cluster
 * answers a hello in its version; an agent whose version is refused says hello in an older one. What a version brings is
 * said only where both have it: `look` came with 2, `usage` with 3, NetworkPolicies with 4, `wake` and
 * questions about traffic with 5.
 */
export const OLDEST_PROTOCOL_VERSION = 1;

/** Close codes of the control socket (RFC 6455 private range). */
export const CloseCode = {
  /** A message that does not parse or is out of order. */
  protocol: 4400,
  /** Unknown or revoked credential: joining again is needed. */
  unauthorized: 4401,
  /** Another connection of the same node replaced this one. */
  replaced: 4409,
  /** Another machine is connected as this node. */
  taken: 4410,
  /** The agent's protocol version is not served. */
  version: 4426,
} as const;

/** A Kubernetes object as JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type ObjectJson = { [key: string]: Json };

export type ToCluster =
  | {
      type: "hello";
      version: number;
      /** Skerry's version of the agent, for display. */
      agent: string;
      node: string;
      /** The newest revision whose changes the agent has on disk; 0 when it has nothing. */
      revision: number;
      /** Tells the machine from every other; two that claim one node are told apart by it. */
      machine?: string;
      /** As the welcome said it before what the agent has was sent; "" where it said nothing. */
      told?: string;
    }
  /** Whether the node can run pods now; makes the Node's Ready condition, with `message` when it cannot. */
  | { type: "health"; ready: boolean; message: string }
  | { type: "call"; id: number; method: string; path: string; contentType?: string; body?: Json }
  /** Answers the cluster's `usage` of the same id. */
  | { type: "usage"; id: number; usage: NodeUsage }
  /**
   * Requests wait at the node for a Service that has no endpoints, or with `by` a connection does. Said again while they
   * do; it has no answer.
   */
  | { type: "wake"; namespace: string; service: string; by?: Waker };

/** One object's new state for the node, or its departure from it. */
export type NodeChange = { resource: string; namespace: string; name: string; object: ObjectJson | null };

export type ToNode =
  | {
      type: "welcome";
      /** The hello's, which both sides speak from here on. */
      version: number;
      /** The cluster's clock, ms; agents take their offset from it. */
      now: number;
      clusterId: string;
      clusterDomain: string;
      /** The service address of cluster DNS and of the `kubernetes` Service. */
      dnsAddress: string;
      apiAddress: string;
      serviceCIDR: string;
      /** Of a dual-stack cluster: Services' addresses in IPv6. */
      serviceCIDRv6?: string;
      /** PEM of the cluster's CA, and of this node's serving certificate chain and key for `kubernetes.default`. */
      ca: string;
      apiCertificate: string;
      apiKey: string;
      /** What nodes are told of: an agent that has what was sent under another word is told all anew. */
      told?: string;
      /** The node must renew its Lease: the cluster's controllers are other programs, which know of it by that. */
      renewsLease?: boolean;
    }
  /** Everything the node should have: what it has and is not named here is gone. */
  | { type: "snapshot"; revision: number; objects: NodeChange[] }
  | { type: "changes"; revision: number; changes: NodeChange[] }
  | { type: "reply"; id: number; code: number; body: Json }
  | { type: "stream"; request: StreamRequest }
  /**
   * Asks what the node uses now, and with `pods` what its pods do; or with `traffic` for that alone. With `history` nothing
   * is to be answered, but what the node holds back of figures over time is to be sent; older agents answer, and nobody hears.
   */
  | { type: "usage"; id: number; pods: boolean; traffic?: true; history?: true };

/** Billionths of a processor, over the last so many ms; and bytes that cannot be taken back. */
export type Usage = { cpu: number; memory: number; windowMs: number };

/** What a node uses, and its running pods; what cannot be told yet is absent. */
export type NodeUsage = {
  /** When it was measured, ms. */
  at: number;
  node?: Usage;
  pods?: { uid: string; containers: ({ name: string } & Usage)[] }[];
  traffic?: NodeTraffic;
};

/**
 * Requests a second, lately; those that have no whole answer yet; and how long ago the last began or ended, ms. Or connections.
 * Of requests also those that failed (5xx, or no answer), and in the same time how many answers began within which class of
 * `lib/facts/latency.ts`; absent where there were none.
 */
export type Traffic = { perSecond: number; pending: number; idleMs: number; failedPerSecond?: number; took?: number[] };

/** Requests by Ingresses that the node has seen, as `namespace/name` and by addresses of pods. */
export type NodeTraffic = {
  /** For how long they have been counted, ms. */
  countedMs: number;
  /** The node's proxy did not say what it has seen: there may be more. */
  isPartial?: true;
  services: Record<string, Traffic>;
  ingresses: Record<string, Traffic>;
  /** Absent where the agent is older. */
  httproutes?: Record<string, Traffic>;
  pods: Record<string, Traffic>;
  /** Absent where they are not counted, or not known. */
  connections?: Connections;
};

/** Connections to Services by their own addresses, as `namespace/name`, and for how long they have been counted, ms. */
export type Connections = { countedMs: number; services: Record<string, Traffic> };

/** Asks the agent to dial `/relay/NODE/ID` and to serve this on the socket. */
export type StreamRequest = ServedRequest | PeerRequest;
export type ServedRequest = PodStreamRequest | ProxyRequest;

/**
 * A log that becomes the body of an HTTP answer. What is no binary message is a `ProxyMessage`: the agent says first that
 * there is a log, or why there is none, and then waits to hear what was read.
 */
export const LOG_AS_BODY = "http.skerry.dev";

export type PodStreamRequest = {
  id: string;
  kind: "exec" | "attach" | "log" | "portforward";
  namespace: string;
  pod: string;
  uid: string;
  container: string;
  /** The client's query, e.g. `command`, `stdin`, `tty`, `follow`, `tailLines`, `ports`. */
  query: [string, string][];
  /** The WebSocket subprotocol agreed with the client: `v5.channel.k8s.io`, …; for a log also "", or `LOG_AS_BODY`. */
  subprotocol: string;
};

/** An HTTP request to a program that the node can reach; `proxy.ts` tells how it is carried. */
export type ProxyRequest = {
  id: string;
  kind: "proxy";
  /** `h2c` is HTTP/2 in the clear. */
  scheme: "http" | "https" | "h2c";
  /** An IP address; "" is the node itself, with what a kubelet would serve. */
  address: string;
  port: number;
  /** Of the node itself, instead of what a kubelet serves: the data of a PersistentVolume on its disk, to be read or written. */
  volume?: { name: string; path: string };
  /** PEM of who must have signed the program's certificate, and its name; absent where any certificate will do. */
  tls?: {
    ca: string;
    serverName: string;
    /** Any certificate will do after all. */
    insecure?: boolean;
    /** PEM, where the program asks who connects. */
    client?: { certificate: string; key: string };
  };
  /** What a request by an Ingress is for, as `namespace/name`. */
  counts?: { service: string; ingress?: string; route?: string };
};

/**
 * Another node's agent dials this one's Relay: they carry WireGuard's packets and say where they may be reached. Only
 * nodes that tell a WireGuard key are asked for it.
 */
export type PeerRequest = {
  id: string;
  kind: "peer";
  /** The other node. */
  node: string;
};

/** On a Node: its WireGuard key and UDP port, which other nodes are told of. */
export const WIREGUARD_KEY = "skerry.dev/wireguard-public-key";
export const WIREGUARD_PORT = "skerry.dev/wireguard-port";
/** On a Node: which way leads from it to nodes that are not on its own network, as `NODE=WAY`, by commas. */
export const PATHS = "skerry.dev/paths";

/** Resources that agents receive, besides their own pods and what those pods mention. */
export const INGRESSES = "ingresses.networking.k8s.io";
export const INGRESS_CLASSES = "ingressclasses.networking.k8s.io";
export const NODE_RESOURCES = [
  "services",
  "endpointslices.discovery.k8s.io",
  "nodes",
  INGRESSES,
  INGRESS_CLASSES,
] as const;
