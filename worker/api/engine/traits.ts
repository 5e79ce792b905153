import type { Kind } from "../../kinds/kind.ts";
import { read } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { isBuiltIn } from "./stored.ts";

/** How writes of a resource differ from the common rules; what kube-apiserver's registry strategies say. */
export type Traits = {
  /** PUT of an absent object creates it. */
  createOnUpdate: boolean;
  /** An update may leave out resourceVersion. */
  unconditionalUpdate: boolean;
  /** DELETE answers with the object rather than a Status. */
  returnsDeleted: boolean;
  /** What happens to dependents when a delete does not say. `none`: never a finalizer for them. */
  propagation: "Background" | "Orphan" | "none";
  /** Finalizers that it keeps outside of metadata: such an object stays until they are gone. */
  ownFinalizers(object: KubeObject): readonly string[];
  /** Set on an object whose deletion begins, in place. */
  markDeleting(object: KubeObject): void;
  /**
   * Seconds that a node gets to end what the object stands for. Where it is absent, deletion needs no node and an
   * object without finalizers goes at once.
   */
  gracePeriod?(object: KubeObject, asked: number | undefined): number;
};

const common: Traits = {
  createOnUpdate: false,
  unconditionalUpdate: true,
  returnsDeleted: false,
  propagation: "Background",
  ownFinalizers: () => [],
  markDeleting: markWithoutGrace,
};

function markWithoutGrace({ metadata }: KubeObject): void {
  if (metadata) metadata.deletionGracePeriodSeconds = 0;
}

/** Namespaces keep a finalizer in their spec, and say that they are going in their phase. */
const namespace: Partial<Traits> = {
  ownFinalizers: (object) => (read(object, "spec.finalizers") ?? []) as string[],
  markDeleting(object: KubeObject & { status?: { phase?: string } }) {
    object.status = { ...object.status, phase: "Terminating" };
  },
};

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination */
function podGracePeriod(pod: KubeObject, asked: number | undefined): number {
  const isOver = ["Failed", "Succeeded"].includes(String(read(pod, "status.phase")));
  if (!read(pod, "spec.nodeName") || isOver) return 0;
  const seconds = asked ?? ((read(pod, "spec.terminationGracePeriodSeconds") ?? 0) as number);
  return seconds < 0 ? 1 : seconds;
}

const exceptions: Readonly<Record<string, Partial<Traits>>> = {
  "apiservices.apiregistration.k8s.io": { unconditionalUpdate: false },
  "clusterrolebindings.rbac.authorization.k8s.io": { createOnUpdate: true },
  "clusterroles.rbac.authorization.k8s.io": { createOnUpdate: true },
  "csidrivers.storage.k8s.io": { unconditionalUpdate: false, returnsDeleted: true },
  "csinodes.storage.k8s.io": { unconditionalUpdate: false, returnsDeleted: true },
  "csistoragecapacities.storage.k8s.io": { unconditionalUpdate: false, returnsDeleted: true },
  "customresourcedefinitions.apiextensions.k8s.io": { unconditionalUpdate: false },
  endpoints: { createOnUpdate: true },
  events: { createOnUpdate: true, propagation: "none" },
  "events.events.k8s.io": { createOnUpdate: true, propagation: "none" },
  "jobs.batch": { propagation: "Orphan" },
  "leases.coordination.k8s.io": { createOnUpdate: true, unconditionalUpdate: false },
  limitranges: { createOnUpdate: true },
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": { unconditionalUpdate: false },
  namespaces: namespace,
  persistentvolumeclaims: { returnsDeleted: true },
  persistentvolumes: { returnsDeleted: true },
  "poddisruptionbudgets.policy": { unconditionalUpdate: false },
  pods: { returnsDeleted: true, gracePeriod: podGracePeriod },
  podtemplates: { returnsDeleted: true },
  replicationcontrollers: { propagation: "Orphan" },
  resourcequotas: { returnsDeleted: true },
  "rolebindings.rbac.authorization.k8s.io": { createOnUpdate: true },
  "roles.rbac.authorization.k8s.io": { createOnUpdate: true },
  "runtimeclasses.node.k8s.io": { unconditionalUpdate: false },
  serviceaccounts: { returnsDeleted: true },
  services: { createOnUpdate: true, returnsDeleted: true },
  "storageclasses.storage.k8s.io": { returnsDeleted: true },
  "validatingadmissionpolicies.admissionregistration.k8s.io": { unconditionalUpdate: false },
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": { unconditionalUpdate: false },
  "validatingwebhookconfigurations.admissionregistration.k8s.io": { unconditionalUpdate: false },
  "volumeattachments.storage.k8s.io": { unconditionalUpdate: false, returnsDeleted: true },
};

export function traitsOf(kind: Kind): Traits {
  if (!isBuiltIn(kind)) return { ...common, unconditionalUpdate: false };
  return { ...common, ...exceptions[kind.groupResource] };
}
