import type { KubeObject } from "../../lib/object.ts";
import { addResources, parseQuantity, type Resources, wholeQuantity } from "../../lib/quantity.ts";
import { type Labels, matchesRequirement, type Operator } from "../../lib/selectors.ts";
import type {
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
  CoreV1PodAffinityTerm,
  CoreV1ResourceQuotaSpec,
  CoreV1ScopedResourceSelectorRequirement,
  CoreV1Service,
  ResourceV1ResourceClaim,
} from "../generated/types.ts";
import { isPodTerminal } from "./pod-conditions.ts";
import { podLimits, podRequests, qosClass } from "./pod-resources.ts";

/**
 * What an object takes from a quota, by the quota's names: `pods`, `requests.cpu`, `count/deployments.apps`, …
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function quotaUsage(groupResource: string, object: KubeObject): Resources {
  const counted: Resources = { [`count/${groupResource}`]: one };
  if (OLD_NAMES.has(groupResource)) counted[groupResource] = one;
  return evaluators[groupResource]?.(object, counted) ?? counted;
}

const one = wholeQuantity(1);

/** Kinds that quotas counted by their plain names before `count/` came. */
const OLD_NAMES = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);

const RESOURCE_CLAIMS = "resourceclaims.resource.k8s.io";
const DEVICES = ".deviceclass.resource.k8s.io/devices";
/** So many devices a claim can get at most. */
const MOST_DEVICES = 32;

const evaluators: Readonly<Record<string, (object: KubeObject, counted: Resources) => Resources>> = {
  pods: (object, counted) => podUsage(object as CoreV1Pod, counted),
  services: (object, counted) => serviceUsage(object as CoreV1Service, counted),
  persistentvolumeclaims: (object, counted) => claimUsage(object as CoreV1PersistentVolumeClaim, counted),
  [RESOURCE_CLAIMS]: (object, counted) => deviceUsage(object as ResourceV1ResourceClaim, counted),
};

const COMPUTE = new Set(["cpu", "memory", "ephemeral-storage"]);
const isPlain = (name: string) => COMPUTE.has(name) || name.startsWith("hugepages-");

/** A pod that ended takes nothing but its place among the objects. */
function podUsage(pod: CoreV1Pod, counted: Resources): Resources {
  if (isPodTerminal(pod)) return { "count/pods": one };
  const usage = { ...counted };
  for (const [name, amount] of Object.entries(podRequests(pod))) {
    if (isPlain(name)) usage[name] = amount;
    if (isPlain(name) || name.includes("/")) usage[`requests.${name}`] = amount;
  }
  for (const [name, amount] of Object.entries(podLimits(pod))) if (COMPUTE.has(name)) usage[`limits.${name}`] = amount;
  return usage;
}

function serviceUsage({ spec }: CoreV1Service, counted: Resources): Resources {
  const ports = (spec?.ports ?? []).length;
  const isBalanced = spec?.type === "LoadBalancer";
  const hasNodePorts = spec?.type === "NodePort" || (isBalanced && spec?.allocateLoadBalancerNodePorts !== false);
  return {
    ...counted,
    "services.loadbalancers": wholeQuantity(isBalanced ? 1 : 0),
    "services.nodeports": wholeQuantity(hasNodePorts ? ports : 0),
  };
}

function claimUsage({ spec }: CoreV1PersistentVolumeClaim, counted: Resources): Resources {
  const storage = spec?.resources?.requests?.storage;
  const usage = { ...counted, ...(storage !== undefined && { "requests.storage": parseQuantity(String(storage)) }) };
  if (!spec?.storageClassName) return usage;
  const prefix = `${spec.storageClassName}.storageclass.storage.k8s.io/`;
  return {
    ...usage,
    [`${prefix}persistentvolumeclaims`]: one,
    ...(usage["requests.storage"] && { [`${prefix}requests.storage`]: usage["requests.storage"] }),
  };
}

/** Devices by class; of requests that name several ways, the worst for each class. */
function deviceUsage({ spec }: ResourceV1ResourceClaim, counted: Resources): Resources {
  let usage = counted;
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const { deviceClassName, allocationMode, count } of exactly ? [exactly] : firstAvailable) {
      const wanted = allocationMode === "All" ? MOST_DEVICES : (count ?? 0);
      most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, wanted));
    }
    for (const [name, wanted] of most) usage = addResources(usage, { [`${name}${DEVICES}`]: wholeQuantity(wanted) });
  }
  return usage;
}

/** The kind of which a quota's name counts something: `count/deployments.apps` of Deployments, `requests.cpu` of pods. */
export function quotaResource(name: string): string {
  if (name.startsWith("count/")) return name.slice("count/".length);
  if (OLD_NAMES.has(name)) return name;
  if (name.startsWith("services.")) return "services";
  if (name.endsWith(DEVICES)) return RESOURCE_CLAIMS;
  return name === "requests.storage" || /\.storageclass\.storage\.k8s\.io\//.test(name)
    ? "persistentvolumeclaims"
    : "pods";
}

/** True when the quota's scopes take in the object; only pods and claims have scopes. */
export function quotaCovers(spec: CoreV1ResourceQuotaSpec, groupResource: string, object: KubeObject): boolean {
  const wanted: CoreV1ScopedResourceSelectorRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  const scopes: Scopes<KubeObject> | undefined = scopesOf[groupResource];
  return wanted.every((requirement) => scopes?.[requirement.scopeName]?.(object, requirement) ?? false);
}

type Requirement = CoreV1ScopedResourceSelectorRequirement;
type Scopes<T> = Readonly<Record<string, (object: T, requirement: Requirement) => boolean>>;

const podScopes: Scopes<CoreV1Pod> = {
  Terminating: ({ spec }) => spec?.activeDeadlineSeconds !== undefined,
  NotTerminating: ({ spec }) => spec?.activeDeadlineSeconds === undefined,
  BestEffort: (pod) => qosClass(pod) === "BestEffort",
  NotBestEffort: (pod) => qosClass(pod) !== "BestEffort",
  PriorityClass: ({ spec }, requirement) => isNamed(requirement, [spec?.priorityClassName]),
  CrossNamespacePodAffinity: ({ spec }) => affinityTerms(spec?.affinity).some(reachesOut),
};

/** A claim counts for the class that it has, and for the one that it is to have. */
const claimScopes: Scopes<CoreV1PersistentVolumeClaim> = {
  VolumeAttributesClass: ({ spec, status }, requirement) =>
    isNamed(requirement, [
      spec?.volumeAttributesClassName,
      status?.currentVolumeAttributesClassName,
      status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
    ]),
};

const scopesOf: Readonly<Record<string, Scopes<KubeObject>>> = {
  pods: podScopes as Scopes<KubeObject>,
  persistentvolumeclaims: claimScopes as Scopes<KubeObject>,
};

/** True when one of the names is as required, or when that there is none is. */
function isNamed({ operator, values }: Requirement, names: readonly (string | undefined)[]): boolean {
  const required = { key: "name", operator: OPERATORS[operator] ?? "exists", values: values ?? [] };
  const given: Labels[] = names.flatMap((name) => (name ? { name } : []));
  return (given.length > 0 ? given : [{}]).some((labels) => matchesRequirement(required, labels));
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

type Affinity = NonNullable<CoreV1Pod["spec"]>["affinity"];

const affinityTerms = (affinity: Affinity): CoreV1PodAffinityTerm[] =>
  [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);

const reachesOut = ({ namespaces, namespaceSelector }: CoreV1PodAffinityTerm) =>
  (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined;
