/**
 * Headers in which the Worker and the Cluster object speak of a request. What a client says under the names of the first
 * three is not heard.
 */

/** The name of the cluster; absent for the default one. */
export const CLUSTER_HEADER = "x-skerry-cluster";
/**
 * What is asked for instead of an answer: `watch`, `stream`, `ingress`, `peer`, `images` that run, `namespace`, or with `stream-check` whether there would
 * be a stream.
 */
export const INTERNAL_HEADER = "x-skerry-internal";
/** The certificate that the client has shown, as RFC 9440 writes it. */
export const CERTIFICATE_HEADER = "x-skerry-certificate";

/** Of what is asked of a pod: the uid of the one that is meant, and no other of its name. A client may say it, too. */
export const POD_UID_HEADER = "x-skerry-pod-uid";

/** Of an answer that says by which node to go on. */
export const GRANT_HEADER = "x-skerry-grant";
/** Of a watch: when it ends, ms since the epoch. */
export const DEADLINE_HEADER = "x-skerry-deadline";
