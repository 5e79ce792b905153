import {
  addResources,
  compareQuantities,
  maxResources,
  parseResources,
  type Resources,
  ZERO,
} from "../../lib/quantity.ts";
import type { CoreV1Container, CoreV1Pod, CoreV1PodSpec, CoreV1ResourceRequirements } from "../generated/types.ts";
import { isSidecar } from "./pod-conditions.ts";

/** What a pod asks for. https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers */
type Side = "requests" | "limits";
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/**
 * The most that a pod needs at any moment: all containers and sidecars together, or an init container beside the
 * sidecars started before it; plus overhead. Requests at pod level replace the sums of their resources.
 */
export const podRequests = (pod: Pick<CoreV1Pod, "spec">): Resources => podResources(pod.spec, "requests");
export const podLimits = (pod: Pick<CoreV1Pod, "spec">): Resources => podResources(pod.spec, "limits");

function podResources(spec: CoreV1PodSpec | undefined, side: Side): Resources {
  if (!spec) return {};
  const of = (container: CoreV1Container) => parseResources(container.resources?.[side]);
  let sum: Resources = {};
  for (const container of spec.containers ?? []) sum = addResources(sum, of(container));
  let sidecars: Resources = {};
  let startup: Resources = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      sidecars = addResources(sidecars, of(container));
      startup = maxResources(startup, sidecars);
    } else startup = maxResources(startup, addResources(sidecars, of(container)));
  }
  let total = maxResources(addResources(sum, sidecars), startup);
  total = { ...total, ...parseResources(spec.resources?.[side]) };
  const overhead = parseResources(spec.overhead);
  if (side === "requests") return addResources(total, overhead);
  for (const [name, amount] of Object.entries(overhead)) {
    if (total[name] && total[name].nano !== 0n) total = addResources(total, { [name]: amount });
  }
  return total;
}

const COMPUTE = ["cpu", "memory"];

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClass(pod: Pick<CoreV1Pod, "spec">): QosClass {
  const spec = pod.spec;
  const holders: (CoreV1ResourceRequirements | undefined)[] = spec?.resources
    ? [spec.resources]
    : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((container) => container.resources);
  const requests = holders.map((holder) => computeResources(holder, "requests"));
  const limits = holders.map((holder) => computeResources(holder, "limits"));
  if ([...requests, ...limits].every((list) => Object.keys(list).length === 0)) return "BestEffort";
  const limited = limits.every((list) => COMPUTE.every((name) => name in list));
  if (!limited) return "Burstable";
  const wanted = requests.reduce(addResources, {});
  const allowed = limits.reduce(addResources, {});
  const equal = COMPUTE.every(
    (name) => !(name in wanted) || compareQuantities(wanted[name] ?? ZERO, allowed[name] ?? ZERO) === 0,
  );
  return equal && COMPUTE.every((name) => name in wanted) ? "Guaranteed" : "Burstable";
}

function computeResources(holder: CoreV1ResourceRequirements | undefined, side: Side): Resources {
  const all = parseResources(holder?.[side]);
  return Object.fromEntries(Object.entries(all).filter(([name, amount]) => COMPUTE.includes(name) && amount.nano > 0n));
}
