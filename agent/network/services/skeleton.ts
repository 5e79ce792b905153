import type { Family } from "../family.ts";

/** Bit of the packet mark for connections whose source must become this node's address. */
export const MASQUERADE_MARK = "0x20000";

/** Chains that the skeleton leads to, and that a Ruleset therefore always has. */
export const LEAVING = "leaving";

export type Skeleton = { family: Family; table: string; podCIDR: string; serviceCIDR: string };

/**
 * Makes the table anew with its fixed part: hooks, and maps that lead a destination to its Service's chain.
 *
 * Service addresses are served only to this node's pods and processes: with several clusters in one network
 * namespace they may be equal, and a pod's source tells whose it means. A service address that is still there after
 * translation leads nowhere and is refused.
 */
export function renderSkeleton({ family, table, podCIDR, serviceCIDR }: Skeleton): string {
  const { word: ip, type, loopback } = family;
  const flow = `${ip} daddr . meta l4proto . th dport`;
  const local = "fib daddr type local meta l4proto . th dport";
  const served = `
    ${flow} vmap @external_ips
    ${local} vmap @node_ports
    dnat ${ip} to ${flow} map @host_ip_ports
    fib daddr type local dnat ${ip} to meta l4proto . th dport map @host_ports`;
  const refused = `
    ${flow} @no_endpoints goto refuse
    ${local} @no_endpoint_ports goto refuse`;
  return `
add table ${ip} ${table}
delete table ${ip} ${table}
table ${ip} ${table} {
  map cluster_ips { type ${type} . inet_proto . inet_service : verdict; }
  map external_ips { type ${type} . inet_proto . inet_service : verdict; }
  map node_ports { type inet_proto . inet_service : verdict; }
  map host_ports { type inet_proto . inet_service : ${type} . inet_service; }
  map host_ip_ports { type ${type} . inet_proto . inet_service : ${type} . inet_service; }
  set no_endpoints { type ${type} . inet_proto . inet_service; }
  set no_endpoint_ports { type inet_proto . inet_service; }
  set hairpins { type ${type} . ${type}; }

  chain ${LEAVING} { }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain loopback-guard {
    type filter hook prerouting priority raw
    iifname != "lo" ${ip} daddr ${loopback} drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    ${ip} saddr ${podCIDR} ${flow} vmap @cluster_ips${served}
  }
  chain output {
    type nat hook output priority -100
    ${flow} vmap @cluster_ips${served}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    meta mark & ${MASQUERADE_MARK} != 0 masquerade fully-random
    ${ip} saddr ${loopback} oifname != "lo" masquerade fully-random
    ${ip} saddr . ${ip} daddr @hairpins masquerade fully-random
    ${ip} saddr ${podCIDR} goto ${LEAVING}
  }
  chain filter-input {
    type filter hook input priority filter
    ct state new jump refusals
  }
  chain filter-forward {
    type filter hook forward priority filter
    ct state new jump refusals
    ${ip} daddr ${serviceCIDR} goto refuse
  }
  chain filter-output {
    type filter hook output priority filter
    ct state new jump refusals
    ${ip} daddr ${serviceCIDR} goto refuse
  }
  chain refusals {${refused}
  }
}
`;
}
