import type { Family } from "../family.ts";
import { HELD_MARK } from "../services/skeleton.ts";

/** What the policies' table always has, and rules and elements are added to. */
export const INGRESS = "ingress";
export const EGRESS = "egress";
export const ITSELF = "itself";
export const OWN = "own";

/** In IPv6 pods ask for their gateway; by what they are called on their link alone they may do nothing else. */
const NEIGHBOURS = `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
    iifname "veth*" ip6 saddr fe80::/10 drop`;

/**
 * Makes the table anew with its fixed part. A pod that is isolated has a chain for each direction in which it is. Both
 * ends of a packet have a say, so there is a hook for each: to accept in one leaves it to the other.
 *
 * Packets are seen behind Services' translation of destinations and before that of sources, so a rule meets the pods on
 * both ends. What is held for a Service that sleeps is not there yet: who holds it asks. What the node itself sends
 * passes neither hook. Pods' sources are what they say: no pod speaks with the address of another.
 */
export const renderSkeleton = (table: string, { word: ip, type }: Family): string => `
add table ${ip} ${table}
delete table ${ip} ${table}
table ${ip} ${table} {
  map ${INGRESS} { type ${type} : verdict; }
  map ${EGRESS} { type ${type} : verdict; }
  set ${ITSELF} { type ${type} . ${type}; }

  chain ${OWN} { }
  chain untrue {
    iifname "veth*" fib saddr . iif oif missing drop
  }
  chain forward-egress {
    type filter hook forward priority filter - 10
    jump untrue
    ct state established,related accept
    ${ip} saddr . ${ip} daddr @${ITSELF} accept
    ${ip} saddr vmap @${EGRESS}
  }
  chain forward-ingress {
    type filter hook forward priority filter - 9
    ct state established,related accept
    ${ip} saddr . ${ip} daddr @${ITSELF} accept
    ${ip} daddr vmap @${INGRESS}
  }
  chain input-egress {
    type filter hook input priority filter - 10
    ${ip === "ip6" ? NEIGHBOURS : ""}
    jump untrue
    ct state established,related accept
    jump ${OWN}
    meta mark & ${HELD_MARK} != 0 accept
    ${ip} saddr vmap @${EGRESS}
  }
}
`;
