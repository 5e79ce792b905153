import { CRD_CLEANUP } from "../../kinds/apiextensions/custom-resource-definition.ts";
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
  /** Warning of a delete that does not say what is to become of dependents. */
  deleteWarning?: string;
  /** The group that refusals name, where it is not the kind's. */
  refusedGroup?: string;
  /** A finalizer that it gets when its deletion begins. */
  cleanup?: string;
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

const resource: Partial<Traits> = { returnsDeleted: true };

function markWithoutGrace({ metadata }: KubeObject): void {
  if (!metadata) return;
  metadata.deletionGracePeriodSeconds = 0;
  if (metadata.generation) metadata.generation++;
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
  "csistoragecapacities.storage.k8s.io": { unconditionalUpdate: false },
  "customresourcedefinitions.apiextensions.k8s.io": {
    unconditionalUpdate: false,
    markDeleting: () => undefined,
    cleanup: CRD_CLEANUP,
  },
  "deviceclasses.resource.k8s.io": resource,
  endpoints: { createOnUpdate: true },
  events: { createOnUpdate: true, propagation: "none" },
  "events.events.k8s.io": { createOnUpdate: true, propagation: "none", refusedGroup: "" },
  "jobs.batch": {
    propagation: "Orphan",
    deleteWarning:
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
  },
  "leases.coordination.k8s.io": { createOnUpdate: true, unconditionalUpdate: false },
  limitranges: { createOnUpdate: true },
  "mutatingadmissionpolicies.admissionregistration.k8s.io": { unconditionalUpdate: false },
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": { unconditionalUpdate: false },
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": { unconditionalUpdate: false },
  namespaces: namespace,
  persistentvolumeclaims: { returnsDeleted: true },
  persistentvolumes: { returnsDeleted: true },
  "poddisruptionbudgets.policy": { unconditionalUpdate: false },
  pods: { returnsDeleted: true, gracePeriod: podGracePeriod },
  podtemplates: { returnsDeleted: true },
  replicationcontrollers: { propagation: "Orphan" },
  "resourceclaims.resource.k8s.io": resource,
  "resourceclaimtemplates.resource.k8s.io": resource,
  resourcequotas: { returnsDeleted: true },
  "resourceslices.resource.k8s.io": resource,
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
  "volumeattributesclasses.storage.k8s.io": { returnsDeleted: true },
};

export function traitsOf(kind: Kind): Traits {
  if (!isBuiltIn(kind)) return { ...common, unconditionalUpdate: false };
  return { ...common, ...exceptions[kind.groupResource] };
}

/** Where kube-apiserver keeps a kind in etcd, which some messages tell. */
export function storagePrefix({ group, resource, schema }: Kind): string {
  const withGroup = !schema.name?.startsWith("io.k8s.api.");
  return STORAGE_PREFIXES[resource] ?? (withGroup ? `${group}/${resource}` : resource);
}

const STORAGE_PREFIXES: Readonly<Record<string, string>> = {
  endpoints: "services/endpoints",
  ingresses: "ingress",
  nodes: "minions",
  replicationcontrollers: "controllers",
  services: "services/specs",
};
