import type {
  CoreV1Container,
  CoreV1Pod,
  CoreV1PodAffinityTerm,
  CoreV1TopologySpreadConstraint,
  MetaV1LabelSelector,
} from "../generated/types.ts";
import { hasSchedulingGates } from "./pod-conditions.ts";
import { qosClass } from "./pod-resources.ts";

/** The state in which every pod begins. */
export function beginPod(pod: CoreV1Pod): void {
  pod.status = { phase: "Pending", qosClass: qosClass(pod) };
  if (hasSchedulingGates(pod))
    pod.status.conditions = [
      {
        type: "PodScheduled",
        status: "False",
        lastProbeTime: null as unknown as string,
        ...(pod.metadata?.creationTimestamp && { lastTransitionTime: pod.metadata.creationTimestamp }),
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ];
  mergeMatchLabelKeys(pod);
}

/** Terms that name label keys get the pod's own values of them as requirements. */
function mergeMatchLabelKeys(pod: CoreV1Pod): void {
  const labels = pod.metadata?.labels ?? {};
  const affinity = pod.spec?.affinity;
  const terms: CoreV1PodAffinityTerm[] = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ]);
  for (const term of terms) {
    requireLabels(term, term.matchLabelKeys, "In", labels);
    requireLabels(term, term.mismatchLabelKeys, "NotIn", labels);
  }
  for (const constraint of pod.spec?.topologySpreadConstraints ?? [])
    requireLabels(constraint, constraint.matchLabelKeys, "In", labels);
}

function requireLabels(
  holder: { labelSelector?: MetaV1LabelSelector },
  keys: CoreV1TopologySpreadConstraint["matchLabelKeys"],
  operator: string,
  labels: Record<string, string>,
): void {
  if (!holder.labelSelector) return;
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value === undefined) continue;
    holder.labelSelector.matchExpressions ??= [];
    holder.labelSelector.matchExpressions.push({ key, operator, values: [value] });
  }
}

/** Each subresource changes its own part only. */
export function keepForSubresource(pod: CoreV1Pod, old: CoreV1Pod, subresource: string): void {
  if (subresource === "status") {
    keepMetadata(pod, old);
    if (pod.status) settleStatus(pod.status, old.status);
  }
  if (subresource === "ephemeralcontainers") {
    const added = pod.spec?.ephemeralContainers;
    pod.spec = structuredClone(old.spec ?? { containers: [] });
    if (added) pod.spec.ephemeralContainers = added;
    else delete pod.spec.ephemeralContainers;
    pod.metadata = { ...structuredClone(old.metadata), ...versionOf(pod) };
  }
  if (subresource === "resize") {
    const wanted = pod.spec;
    pod.spec = structuredClone(old.spec ?? { containers: [] });
    pod.metadata = { ...structuredClone(old.metadata), ...versionOf(pod) };
    resize(pod.spec.containers, wanted?.containers);
    resize(pod.spec.initContainers, wanted?.initContainers);
    if (wanted?.resources) pod.spec.resources = wanted.resources;
  }
}

/** Addresses have two fields, of which the older one decides. */
export function settleAddresses(status: NonNullable<CoreV1Pod["status"]>): void {
  const { podIP, podIPs } = status;
  if (podIP && podIPs?.[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  const first = status.podIPs?.[0]?.ip;
  if (first) status.podIP = first;
}

/** What is off by default goes. */
function settleStatus(status: NonNullable<CoreV1Pod["status"]>, old: CoreV1Pod["status"]): void {
  if (!status.qosClass && old?.qosClass) status.qosClass = old.qosClass;
  delete status.allocatedResources;
  delete status.resources;
  delete status.extendedResourceClaimStatus;
  for (const list of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const)
    for (const container of status[list] ?? []) delete container.allocatedResourcesStatus;
}

const versionOf = (pod: CoreV1Pod) =>
  pod.metadata?.resourceVersion === undefined ? {} : { resourceVersion: pod.metadata.resourceVersion };

function keepMetadata(pod: CoreV1Pod, old: CoreV1Pod): void {
  if (!pod.metadata) return;
  if (old.metadata?.ownerReferences) pod.metadata.ownerReferences = old.metadata.ownerReferences;
  else delete pod.metadata.ownerReferences;
}

function resize(kept: CoreV1Container[] | undefined, wanted: CoreV1Container[] | undefined): void {
  for (const [index, container] of (kept ?? []).entries()) {
    const other = wanted?.[index];
    if (other?.name !== container.name) continue;
    if (other.resources) container.resources = other.resources;
    if (other.resizePolicy) container.resizePolicy = other.resizePolicy;
  }
}
