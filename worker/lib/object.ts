/**
 * The part that all Kubernetes objects share.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type ManagedFieldsEntry = {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
};

export type ObjectMeta = {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
};

export type KubeObject = { apiVersion?: string; kind?: string; metadata?: ObjectMeta };

/** The one ownerReference with `controller: true`. */
export const controllerOf = <R extends { controller?: boolean }>(
  object: { readonly metadata?: { readonly ownerReferences?: readonly R[] } } | undefined,
): R | undefined => object?.metadata?.ownerReferences?.find((owner) => owner.controller === true);

/** Names an object of any kind. `namespace` is "" for cluster-scoped resources. */
export type Key = {
  /** Plural with group, as RBAC and discovery name it: `pods`, `deployments.apps`. */
  resource: string;
  namespace: string;
  name: string;
};
