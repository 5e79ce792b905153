import { createHash } from "node:crypto";

/**
 * Names of everything the agent makes in the kernel. Agents of several clusters or nodes may share one network
 * namespace, so each name carries a digest of whose it is; it is the same after a restart, so leftovers are found.
 */
export type Identity = {
  /** Interface that carries the gateway's address (interface names have at most 15 characters). */
  anchor: string;
  /** Interface that carries load balancers' addresses. */
  balancers: string;
  /** Interface of the tunnels to nodes elsewhere, and the nftables table that goes with it. */
  tunnel: string;
  /**
   * UDP ports of that interface, and of what looks for its ways. Another agent on this machine, or behind the same NAT, has
   * hardly the same.
   */
  port: number;
  checksPort: number;
  /** nftables table, family ip. */
  table: string;
  /** What the names of its pods' network namespaces begin with. */
  namespace: string;
  /** Metric of our routes, which tells them from another agent's. */
  metric: number;
};

/** Below those of node ports and of outgoing connections. */
const FIRST_PORT = 20_000;
const PORTS = 4_500;

export function identityOf(owner: { home: string; clusterName: string; nodeName: string }): Identity {
  const digest = createHash("sha256")
    .update([owner.home, owner.clusterName, owner.nodeName].join("\0"))
    .digest("hex")
    .slice(0, 8);
  const port = FIRST_PORT + (Number.parseInt(digest, 16) % PORTS);
  return {
    anchor: `sk-${digest}`,
    balancers: `sl-${digest}`,
    tunnel: `sw-${digest}`,
    port,
    checksPort: port + PORTS,
    table: `skerry-${digest}`,
    namespace: `skerry-${digest}`,
    metric: (Number.parseInt(digest, 16) % 0x7fff0000) + 0x10000,
  };
}
