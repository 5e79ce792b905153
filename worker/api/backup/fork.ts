/**
 * What of a cluster's objects becomes another cluster's. Machines belong to the old one, and so do the pods that they run:
 * controllers make new ones. Bare pods are placed anew. What the old cluster signed or said of its machines stays behind.
 */
import { ALERTS_NAMESPACE, ALERTS_PUSH_SECRET, ALERTS_STATUS } from "../../lib/facts/alerts.ts";
import type { KubeObject } from "../../lib/object.ts";

type Loose = KubeObject & {
  type?: string;
  data?: Record<string, string>;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
};
/** `undefined`: it stays behind. The very same object: nothing changes. */
type Change = (object: Loose, own: Own) => Loose | undefined;

export type Own = {
  /** By the uid of this namespace programs tell clusters apart. */
  systemNamespaceUid: string;
};

const stays: Change = () => undefined;

const isOfAlerts = ({ metadata }: Loose, name: string) =>
  metadata?.namespace === ALERTS_NAMESPACE && metadata.name === name;

const CHANGES: Readonly<Record<string, Change>> = {
  nodes: stays,
  events: stays,
  "csinodes.storage.k8s.io": stays,
  "volumeattachments.storage.k8s.io": stays,
  "certificatesigningrequests.certificates.k8s.io": stays,
  "leases.coordination.k8s.io": (lease) => (lease.metadata?.namespace === "kube-node-lease" ? undefined : lease),
  namespaces: (namespace, { systemNamespaceUid }) =>
    namespace.metadata?.name === "kube-system"
      ? { ...namespace, metadata: { ...namespace.metadata, uid: systemNamespaceUid } }
      : namespace,
  // What the old cluster has yet to tell, and the browsers that it tells.
  configmaps: (map) => (isOfAlerts(map, ALERTS_STATUS) ? undefined : map),
  secrets: (secret) => {
    if (isOfAlerts(secret, ALERTS_PUSH_SECRET)) return undefined;
    if (secret.type !== "kubernetes.io/service-account-token") return secret;
    const { token: _, "ca.crt": __, ...data } = secret.data ?? {};
    return { ...secret, data };
  },
  pods(pod) {
    const { metadata, spec, status } = pod;
    if (metadata?.deletionTimestamp) return undefined;
    if (spec?.nodeName === undefined || status?.phase === "Succeeded" || status?.phase === "Failed") return pod;
    if (metadata?.ownerReferences?.some(({ controller }) => controller)) return undefined;
    const { nodeName: _, ...placeless } = spec;
    return { ...pod, spec: placeless, status: { phase: "Pending", qosClass: status?.qosClass } };
  },
};

/** The object of the fork, and its text; undefined where there is none. */
export function forked(
  resource: string,
  object: KubeObject,
  text: string,
  own: Own,
): { object: KubeObject; text: string } | undefined {
  const changed = (CHANGES[resource] ?? ((same: Loose) => same))(object as Loose, own);
  if (!changed) return undefined;
  return changed === object ? { object, text } : { object: changed, text: JSON.stringify(changed) };
}
