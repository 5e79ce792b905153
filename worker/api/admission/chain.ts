import type { Admission } from "./admission.ts";
import { alerts } from "./alerts.ts";
import { certificates } from "./certificates.ts";
import { claimResize } from "./claim-resize.ts";
import { defaultIngressClass, defaultStorageClass } from "./default-classes.ts";
import { defaultTolerationSeconds } from "./default-tolerations.ts";
import { keepLogs } from "./keep-logs.ts";
import { limitRanger, limitRangerDefaults } from "./limit-ranger.ts";
import { mutation } from "./mutation.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { paramAccess } from "./param-access.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { validatingPolicies } from "./policies/policies.ts";
import { priority } from "./priority.ts";
import { privilegeEscalation } from "./privilege-escalation.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClass, runtimeClassOverhead } from "./runtime-class.ts";
import { serviceAccount } from "./service-account.ts";
import { storageProtection } from "./storage-protection.ts";
import { taintNodes } from "./taint-nodes.ts";
import { terminatingDefinition } from "./terminating-definition.ts";
import { validatingWebhooks } from "./webhooks/webhooks.ts";

/** In the order of kube-apiserver's plugins; the first asks whether there is a place for the object at all. */
const ownMutating: readonly Admission[] = [
  terminatingDefinition,
  namespaceLifecycle,
  limitRangerDefaults,
  serviceAccount,
  nodeRestriction,
  taintNodes,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageProtection,
  runtimeClass,
  defaultIngressClass,
  podTopologyLabels,
  keepLogs,
];

export const mutating: readonly Admission[] = [...ownMutating, mutation(ownMutating)];

export const validating: readonly Admission[] = [
  privilegeEscalation,
  paramAccess,
  limitRanger,
  podSecurity,
  claimResize,
  runtimeClassOverhead,
  certificates,
  alerts,
  validatingPolicies,
  validatingWebhooks,
  resourceQuota,
];

/** Deletions change nothing, but those who may change objects are asked too. */
export const deleting: readonly Admission[] = [
  namespaceLifecycle,
  nodeRestriction,
  mutation([]),
  validatingPolicies,
  validatingWebhooks,
];

/** Connections to a pod: exec, attach, port-forward, proxy. */
export const connecting: readonly Admission[] = [mutation([]), validatingPolicies, validatingWebhooks];
