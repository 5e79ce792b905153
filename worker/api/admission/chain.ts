import type { Admission } from "./admission.ts";
import { certificates } from "./certificates.ts";
import { defaultTolerationSeconds } from "./default-tolerations.ts";
import { limitRanger, limitRangerDefaults } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { priority } from "./priority.ts";
import { privilegeEscalation } from "./privilege-escalation.ts";
import { resourceQuota } from "./resource-quota.ts";
import { serviceAccount } from "./service-account.ts";
import { storageProtection } from "./storage-protection.ts";
import { taintNodes } from "./taint-nodes.ts";

/** In the order of kube-apiserver's plugins; the first asks whether there is a place for the object at all. */
export const mutating: readonly Admission[] = [
  namespaceLifecycle,
  limitRangerDefaults,
  serviceAccount,
  taintNodes,
  priority,
  defaultTolerationSeconds,
  storageProtection,
];

export const validating: readonly Admission[] = [
  nodeRestriction,
  privilegeEscalation,
  certificates,
  limitRanger,
  resourceQuota,
];

/** Deletions are only validated. */
export const deleting: readonly Admission[] = [namespaceLifecycle];
