import { readFileSync, writeFileSync } from "node:fs";
import { podLimits, podRequests, type QosClass, qosClass } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Container, CoreV1Pod, CoreV1ResourceRequirements } from "../../worker/kinds/generated/types.ts";
import { milliValue, parseQuantity, wholeValue, ZERO } from "../../worker/lib/quantity.ts";
import {
  type CgroupLimits,
  type CgroupVersion,
  CPU_PERIOD_US,
  cpuQuota,
  cpuShares,
  pageSizeName,
} from "./cgroup-files.ts";
import { isSidecar, sidecars } from "./phase.ts";

const bytes = (amount: string | undefined) => (amount === undefined ? 0 : wholeValue(parseQuantity(amount)));
const millis = (amount: string | undefined) => (amount === undefined ? 0 : milliValue(parseQuantity(amount)));

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export const qosOf = (pod: CoreV1Pod): QosClass => (pod.status?.qosClass as QosClass | undefined) ?? qosClass(pod);

/** Every container has a limit, or the pod as a whole: only then does the sum of limits bound it. */
function isLimited({ spec }: CoreV1Pod, name: "cpu" | "memory"): boolean {
  const has = (resources: CoreV1ResourceRequirements | undefined) => millis(resources?.limits?.[name]) > 0;
  if (has(spec.resources)) return true;
  // While it runs, an init container shares with the sidecars before it.
  let besides = false;
  const init = (spec.initContainers ?? []).every((container) => {
    if (isSidecar(container)) besides ||= has(container.resources);
    return besides || has(container.resources);
  });
  return init && spec.containers.every(({ resources }) => has(resources));
}

/** What the cgroup around all of a pod's containers is given. */
export function podCgroupLimits(pod: CoreV1Pod): CgroupLimits {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const hugepages = new Map(
    Object.entries(requests).flatMap(([name, amount]) => {
      const size = hugepageSize(name);
      return size ? [[size, wholeValue(amount)] as const] : [];
    }),
  );
  const bounded = qosOf(pod) !== "BestEffort";
  return {
    cpuShares: cpuShares(bounded ? milliValue(requests.cpu ?? ZERO) : 0),
    ...(bounded && isLimited(pod, "cpu") ? { cpuQuota: cpuQuota(milliValue(limits.cpu ?? ZERO)) } : {}),
    ...(bounded && isLimited(pod, "memory") ? { memoryBytes: wholeValue(limits.memory ?? ZERO) } : {}),
    hugepages,
  };
}

/** `hugepages-2Mi` → 2097152; undefined for any other resource. */
export function hugepageSize(resource: string): number | undefined {
  const size = /^hugepages-(.+)$/.exec(resource)?.[1];
  return size === undefined ? undefined : bytes(size);
}

const MOST_KILLABLE = 1000;
const LEAST_KILLABLE = -997;

/** The kernel ends the least guaranteed first. https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior */
export function oomScore(pod: CoreV1Pod, container: CoreV1Container, machineBytes: number): number {
  const qos = qosOf(pod);
  if (qos === "Guaranteed" || (isCritical(pod) && pod.spec.priorityClassName === "system-node-critical"))
    return LEAST_KILLABLE;
  if (qos === "BestEffort") return MOST_KILLABLE;
  const scoreOf = (request: number) => 1000 - Math.floor((1000 * (request + unclaimedShare(pod))) / machineBytes);
  const memory = ({ resources }: CoreV1Container) => bytes(resources?.requests?.memory);
  let score = scoreOf(memory(container));
  // A sidecar is not to go before those that it serves.
  if (sidecars(pod).some(({ name }) => name === container.name))
    score = Math.min(score, scoreOf(Math.min(...pod.spec.containers.map(memory))));
  return Math.min(Math.max(score, MOST_KILLABLE + LEAST_KILLABLE), MOST_KILLABLE - 1);
}

/** Pods of this priority and above are needed by the system itself. */
const SYSTEM_CRITICAL = 2_000_000_000;

/** The node does not end it to help itself: the system needs it, or nobody but the node would start it again. */
export function isCritical({ metadata, spec }: CoreV1Pod): boolean {
  const { "kubernetes.io/config.source": source = "api", "kubernetes.io/config.mirror": mirror } =
    metadata.annotations ?? {};
  return (spec.priority ?? 0) >= SYSTEM_CRITICAL || source !== "api" || mirror !== undefined;
}

/** What a pod asks for as a whole and none of its containers does is all of theirs alike, in bytes. */
function unclaimedShare({ spec }: CoreV1Pod): number {
  const whole = bytes(spec.resources?.requests?.memory);
  if (whole === 0) return 0;
  const claimed = wholeValue(
    podRequests({ spec: { ...spec, resources: undefined, overhead: undefined } }).memory ?? ZERO,
  );
  return Math.trunc((whole - claimed) / (spec.containers.length + (spec.initContainers?.length ?? 0)));
}

const CAP_SYS_RESOURCE = 24n;

/** Without the right to it, no process may be made safer than the agent itself: inside of containers, for one. */
export const lowestOomScore: number = (() => {
  const rights = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  if ((BigInt(`0x${rights}`) >> CAP_SYS_RESOURCE) & 1n) return -1000;
  return Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
})();

/** As a kubelet and its container runtime. */
const NODE_OOM_SCORE = "-999";

/** This process, and what it starts, are the last that the kernel ends for want of memory. Containers have their own scores. */
export function protectNode(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", NODE_OOM_SCORE);
  } catch {
    // Inside of a container it may not.
  }
}

export type RuntimeLimits = {
  version: CgroupVersion;
  /** Whether the kernel counts swap for each cgroup. */
  swap: boolean;
  /** Sizes of huge pages that the machine has. */
  pageSizes: readonly number[];
};

/** Flags of `nerdctl run` for a container's requests and limits. */
export function resourceFlags(
  pod: CoreV1Pod,
  container: CoreV1Container,
  machineBytes: number,
  runtime: RuntimeLimits,
): string[] {
  const score = Math.max(oomScore(pod, container, machineBytes), lowestOomScore);
  return [...limitFlags(pod, container), ...unifiedFlags(pod, container, runtime), "--oom-score-adj", `${score}`];
}

/** Those of them that `nerdctl update` takes as well. A pod's own limits hold for each container that has none. */
export function limitFlags({ spec }: CoreV1Pod, { resources = {} }: CoreV1Container): string[] {
  const { requests, limits } = resources;
  const memory = bytes(limits?.memory) || bytes(spec.resources?.limits?.memory);
  const cpu = millis(limits?.cpu) || millis(spec.resources?.limits?.cpu);
  return [
    ...["--cpu-shares", `${cpuShares(requests?.cpu === undefined ? cpu : millis(requests.cpu))}`],
    ...(cpu ? ["--cpu-period", `${CPU_PERIOD_US}`, "--cpu-quota", `${cpuQuota(cpu)}`] : []),
    ...(memory ? ["--memory", `${memory}`, "--memory-swap", `${memory}`] : []),
  ];
}

/**
 * What only cgroups of version 2 can be told: an end for want of memory is that of all of a container's processes, there
 * is no swap, and huge pages of each size have their limit.
 */
function unifiedFlags(pod: CoreV1Pod, { resources }: CoreV1Container, { version, swap, pageSizes }: RuntimeLimits) {
  if (version === 1) return [];
  const limits = { ...pod.spec.resources?.limits, ...resources?.limits };
  const pages = pageSizes.flatMap((size) => {
    const [, amount] = Object.entries(limits).find(([name]) => hugepageSize(name) === size) ?? [];
    return ["max", "rsvd.max"].map((limit) => `hugetlb.${pageSizeName(size)}.${limit}=${bytes(amount)}`);
  });
  const settings = ["memory.oom.group=1", ...(swap ? ["memory.swap.max=0"] : []), ...pages];
  return settings.flatMap((setting) => ["--cgroup-conf", setting]);
}

const RESIZABLE = ["cpu", "memory"] as const;

/**
 * What a change of requests and limits asks of a running container; undefined for no change.
 * https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
export function resizeOf(
  container: CoreV1Container,
  had: CoreV1ResourceRequirements = {},
): "inPlace" | "restart" | undefined {
  const wants = container.resources ?? {};
  const changed = RESIZABLE.filter((name) =>
    (["requests", "limits"] as const).some((list) => millis(wants[list]?.[name]) !== millis(had[list]?.[name])),
  );
  if (changed.length === 0) return undefined;
  const restarts = (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === "RestartContainer" && changed.some((name) => name === resourceName),
  );
  return restarts ? "restart" : "inPlace";
}
