import type { PolicyPeers, PolicyRules } from "../../worker/protocol/policies.ts";

/**
 * The fields of Kubernetes objects that the node's network reads. Whole objects fit; what is not named here does not
 * matter to it.
 */
export type Meta = {
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};

export type ServicePort = { name?: string; protocol?: string; port?: number; nodePort?: number };

export type Service = {
  metadata?: Meta;
  spec?: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    ipFamilies?: string[];
    externalIPs?: string[];
    externalName?: string;
    externalTrafficPolicy?: string;
    healthCheckNodePort?: number;
    internalTrafficPolicy?: string;
    loadBalancerSourceRanges?: string[];
    ports?: ServicePort[];
    publishNotReadyAddresses?: boolean;
    sessionAffinity?: string;
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
  };
  status?: { loadBalancer?: { ingress?: { ip?: string; ipMode?: string }[] } };
};

export type EndpointConditions = { ready?: boolean; serving?: boolean; terminating?: boolean };

export type Endpoint = {
  addresses?: string[];
  conditions?: EndpointConditions;
  hostname?: string;
  nodeName?: string;
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] };
};

export type EndpointSlice = {
  metadata?: Meta;
  addressType?: string;
  endpoints?: Endpoint[] | null;
  ports?: { name?: string; port?: number; protocol?: string }[] | null;
};

export type Node = {
  metadata?: Meta;
  spec?: { podCIDR?: string; podCIDRs?: string[] };
  status?: { addresses?: { type?: string; address?: string }[] };
};

export type ContainerPorts = {
  restartPolicy?: string;
  ports?: { name?: string; containerPort?: number; hostPort?: number; hostIP?: string; protocol?: string }[];
};

export type Pod = {
  metadata?: Meta;
  spec?: {
    hostNetwork?: boolean;
    dnsPolicy?: string;
    dnsConfig?: { nameservers?: string[]; searches?: string[]; options?: { name?: string; value?: string }[] };
    containers?: ContainerPorts[];
    initContainers?: ContainerPorts[];
  };
  status?: { phase?: string; podIP?: string; podIPs?: { ip?: string }[] };
};

/** What this node has been told of NetworkPolicies. */
export type PolicyState = {
  /** By `namespace/name`. */
  rules(): ReadonlyMap<string, PolicyRules>;
  /** By `node/set`. */
  peers(): ReadonlyMap<string, PolicyPeers>;
  /** Whose network namespace one of this node is; undefined when nobody knows. */
  podOf(namespace: string): Pod | undefined;
};

/** What the cluster wants of this node's network. The whole of it each time; `pods` are those of this node. */
export type NetworkState = {
  services: readonly Service[];
  endpointSlices: readonly EndpointSlice[];
  nodes: readonly Node[];
  pods: readonly Pod[];
  policies?: PolicyState;
};

/** The addresses of one family. */
export type NetworkRanges = {
  /** Those of this node's pods: the first one is the gateway's. */
  podCIDR: string;
  serviceCIDR: string;
};

/** What a node learns when it joins; the same until it starts anew. */
export type NetworkSettings = NetworkRanges & {
  /** Of a dual-stack cluster. */
  ipv6?: NetworkRanges;
  clusterDomain: string;
  /** The service address of cluster DNS and of the `kubernetes` Service. */
  dnsAddress: string;
  apiAddress: string;
  /** PEM; served to pods at `kubernetes.default`. */
  apiCertificate: string;
  apiKey: string;
  /** The cluster's API with its path, `https://host/clusters/NAME`, and PEM of what signs it if not a public CA. */
  upstream: { url: string; ca?: string };
};
