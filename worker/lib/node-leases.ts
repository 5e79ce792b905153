/** The namespace in which every node has a Lease of its name. */
export const NODE_LEASES = "kube-node-lease";
