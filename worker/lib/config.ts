import ipaddr from "ipaddr.js";

/** Ranges of a second family beside the IPv4 ones. */
export type IPv6Ranges = {
  serviceCIDR: string;
  /** Split into one /`nodeMask` a node. */
  podCIDR: string;
  nodeMask: number;
};

/** What a cluster is set up with; fixed once it exists, but for additions. Addresses are IPv4 but for `ipv6`. */
export type ClusterConfig = {
  /** The cluster's name in URLs. */
  name: string;
  clusterDomain: string;
  serviceCIDR: string;
  /** Split into one /`nodeMask` a node. */
  podCIDR: string;
  nodeMask: number;
  /** Absent where the cluster is single-stack. */
  ipv6?: IPv6Ranges;
  nodePorts: { first: number; last: number };
  /** Resources whose objects are encrypted at rest, as storage names them: `secrets`, `widgets.example.com`. */
  encryptedResources: readonly string[];
  /** Runs controllers and the scheduler; without them the API alone answers, as kube-apiserver does. */
  controllers: boolean;
  /** Those of `OPTIONAL_CONTROLLERS` that do not run, since another program does what they do. */
  disabledControllers: readonly string[];
  runtimeConfig: RuntimeConfig;
  /** How long Events are kept after they last happened. */
  eventTtlSeconds: number;
};

/** Groups and versions that are served only when asked for: `{"admissionregistration.k8s.io/v1beta1": true}`. */
export type RuntimeConfig = Readonly<Record<string, boolean>>;

export const OPTIONAL_VERSIONS: readonly string[] = ["admissionregistration.k8s.io/v1beta1"];

/** By the names that their events have, too. */
export const OPTIONAL_CONTROLLERS: readonly string[] = ["service-controller", "horizontal-pod-autoscaler"];

export const DEFAULT_CONFIG: ClusterConfig = {
  name: "default",
  clusterDomain: "cluster.local",
  serviceCIDR: "10.96.0.0/16",
  podCIDR: "10.244.0.0/16",
  nodeMask: 24,
  nodePorts: { first: 30000, last: 32767 },
  encryptedResources: ["secrets"],
  controllers: true,
  disabledControllers: [],
  runtimeConfig: {},
  eventTtlSeconds: 3600,
};

/** What its objects depend on: it goes with a cluster to wherever that is restored. */
export type Ranges = Pick<
  ClusterConfig,
  "clusterDomain" | "serviceCIDR" | "podCIDR" | "nodeMask" | "nodePorts" | "ipv6"
>;

export const rangesOf = ({
  clusterDomain,
  serviceCIDR,
  podCIDR,
  nodeMask,
  nodePorts,
  ipv6,
}: ClusterConfig): Ranges => ({
  clusterDomain,
  serviceCIDR,
  podCIDR,
  nodeMask,
  nodePorts,
  ...(ipv6 && { ipv6 }),
});

/** Those of which Services can have addresses, the default one first. */
export const ipFamiliesOf = ({ ipv6 }: Pick<ClusterConfig, "ipv6">): ("IPv4" | "IPv6")[] =>
  ipv6 ? ["IPv4", "IPv6"] : ["IPv4"];

/** The n-th address of a CIDR of either family: 1 is the API's, 10 is DNS'. */
export function nthAddress(cidr: string, n: number): string {
  if (cidr.includes(":")) return nthIPv6(cidr, n);
  const [base, bits] = cidr.split("/") as [string, string];
  const parts = base.split(".").map(Number) as [number, number, number, number];
  const value = ((parts[0] << 24) | (parts[1] << 16) | (parts[2] << 8) | parts[3]) >>> 0;
  const mask = Number(bits) === 0 ? 0 : (0xffffffff << (32 - Number(bits))) >>> 0;
  const address = ((value & mask) >>> 0) + n;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

function nthIPv6(cidr: string, n: number): string {
  const bytes = ipaddr.IPv6.networkAddressFromCIDR(cidr).toByteArray();
  for (let i = bytes.length - 1, left = n, carry = 0; i >= 0; i--, left = Math.floor(left / 256)) {
    const sum = (bytes[i] ?? 0) + (left % 256) + carry;
    bytes[i] = sum % 256;
    carry = sum > 255 ? 1 : 0;
  }
  return (ipaddr.fromByteArray(bytes) as ipaddr.IPv6).toRFC5952String();
}
