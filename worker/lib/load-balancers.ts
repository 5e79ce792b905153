/** Addresses of a local network that load balancers are given, and by which node each is answered for. */

/**
 * The ConfigMap that lends addresses to load balancers: `data.addresses` is a list, by commas or spaces, of addresses, ranges
 * (`192.0.2.10-192.0.2.20`) and CIDRs; `data.nodeSelector`, if there is one, selects the nodes of that local network.
 */
export const POOL = { namespace: "kube-system", name: "load-balancer-addresses" };

/** On a Service: the node that has its address. */
export const ANNOUNCED_BY = "skerry.dev/announced-by";
