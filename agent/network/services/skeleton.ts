import type { Family } from "../family.ts";

/** Bit of the packet mark for connections whose source must become this node's address. */
export const MASQUERADE_MARK = "0x20000";

/** Bit of the packet mark for what is led to this agent, which holds it for a Service that sleeps. */
export const HELD_MARK = "0x40000";

/**
 * Sets of packets' making: by what was asked for, when a connection last began, and how many did, and when one last ended.
 * What tells no end, UDP, or none that nft reads, SCTP, ends anew with each packet.
 */
export const BEGUN = "begun";
export const ENDED = "ended";
/** Elements live for so long after they were last of use, s. */
export const COUNTED_S = 30 * 24 * 3600;
/** Past so many elements nothing more is counted. */
export const MOST_COUNTED = 65_536;

/** Chains that the skeleton leads to, and that a Ruleset therefore always has. */
export const LEAVING = "leaving";

export type Skeleton = { family: Family; table: string; podCIDR: string; serviceCIDR: string };

/**
 * Makes the table anew with its fixed part: hooks, and maps that lead a destination to its Service's chain.
 *
 * Service addresses are served only to this node's pods and processes: with several clusters in one network
 * namespace they may be equal, and a pod's source tells whose it means. A service address that is still there after
 * translation leads nowhere and is refused.
 *
 * Connections are counted by what they asked for where their first packet has found its way: one rule for all Services.
 */
export function renderSkeleton({ family, table, podCIDR, serviceCIDR }: Skeleton): string {
  const { word: ip, type, loopback } = family;
  const flow = `${ip} daddr . meta l4proto . th dport`;
  const local = "fib daddr type local meta l4proto . th dport";
  const seen = `type ${type} . inet_proto . inet_service; flags dynamic,timeout; timeout ${COUNTED_S}s; size ${MOST_COUNTED};`;
  const asked = `ct original ${ip} daddr . ct protocol . ct original proto-dst`;
  const ending = `tcp flags & (fin | rst) != 0 ct status dnat update @${ENDED} { ${asked} }
    meta l4proto { udp, sctp } ct status dnat update @${ENDED} { ${asked} }`;
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

  set ${BEGUN} { ${seen} }
  set ${ENDED} { ${seen} }

  chain ${LEAVING} { }
  chain count {
    meta l4proto { tcp, udp, sctp } update @${BEGUN} { ${asked} counter }
  }
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
    ct status dnat jump count
    meta mark & ${MASQUERADE_MARK} != 0 masquerade fully-random
    ${ip} saddr ${loopback} oifname != "lo" masquerade fully-random
    ${ip} saddr . ${ip} daddr @hairpins masquerade fully-random
    ${ip} saddr ${podCIDR} goto ${LEAVING}
  }
  chain arriving {
    type nat hook input priority 100
    ct status dnat jump count
  }
  chain filter-input {
    type filter hook input priority filter
    ${ending}
    ct state new jump refusals
  }
  chain filter-forward {
    type filter hook forward priority filter
    ${ending}
    ct state new jump refusals
    ${ip} daddr ${serviceCIDR} goto refuse
  }
  chain filter-output {
    type filter hook output priority filter
    ${ending}
    ct state new jump refusals
    ${ip} daddr ${serviceCIDR} goto refuse
  }
  chain refusals {${refused}
  }
}
`;
}
