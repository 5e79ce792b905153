/** What the policies' table always has, and rules and elements are added to. */
export const INGRESS = "ingress";
export const EGRESS = "egress";
export const ITSELF = "itself";
export const OWN = "own";

/**
 * Makes the table anew with its fixed part. A pod that is isolated has a chain for each direction in which it is. Both
 * ends of a packet have a say, so there is a hook for each: to accept in one leaves it to the other.
 *
 * Packets are seen behind Services' translation of destinations and before that of sources, so a rule meets the pods on
 * both ends. What the node itself sends passes neither hook. Pods' sources are what they say: no pod speaks with the
 * address of another.
 */
export const renderSkeleton = (table: string): string => `
add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map ${INGRESS} { type ipv4_addr : verdict; }
  map ${EGRESS} { type ipv4_addr : verdict; }
  set ${ITSELF} { type ipv4_addr . ipv4_addr; }

  chain ${OWN} { }
  chain untrue {
    iifname "veth*" fib saddr . iif oif missing drop
  }
  chain forward-egress {
    type filter hook forward priority filter - 10
    jump untrue
    ct state established,related accept
    ip saddr . ip daddr @${ITSELF} accept
    ip saddr vmap @${EGRESS}
  }
  chain forward-ingress {
    type filter hook forward priority filter - 9
    ct state established,related accept
    ip saddr . ip daddr @${ITSELF} accept
    ip daddr vmap @${INGRESS}
  }
  chain input-egress {
    type filter hook input priority filter - 10
    jump untrue
    ct state established,related accept
    jump ${OWN}
    ip saddr vmap @${EGRESS}
  }
}
`;
