import { readFileSync } from "node:fs";
import type { CoreV1Container, CoreV1Pod, CoreV1ResourceRequirements } from "../../worker/kinds/generated/types.ts";
import { milliValue, parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";

export type Qos = "Guaranteed" | "Burstable" | "BestEffort";

const bytes = (amount: string | undefined) => (amount === undefined ? 0 : wholeValue(parseQuantity(amount)));
const millis = (amount: string | undefined) => (amount === undefined ? 0 : milliValue(parseQuantity(amount)));

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
function qosOf(pod: CoreV1Pod): Qos {
  if (pod.status?.qosClass) return pod.status.qosClass as Qos;
  const lists = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((c) => c.resources ?? {});
  const names = ["cpu", "memory"];
  if (lists.every((r) => names.every((n) => !millis(r.requests?.[n]) && !millis(r.limits?.[n])))) return "BestEffort";
  const tight = lists.every((r) =>
    names.every((n) => millis(r.limits?.[n]) > 0 && millis(r.requests?.[n] ?? r.limits?.[n]) === millis(r.limits?.[n])),
  );
  return tight ? "Guaranteed" : "Burstable";
}

/** The kernel ends the least guaranteed first. https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior */
function oomScore(pod: CoreV1Pod, container: CoreV1Container, machineBytes: number): number {
  const qos = qosOf(pod);
  if (pod.spec.priorityClassName === "system-node-critical" || qos === "Guaranteed") return -997;
  if (qos === "BestEffort") return 1000;
  const request = bytes(container.resources?.requests?.memory ?? container.resources?.limits?.memory);
  return Math.min(Math.max(Math.floor(1000 - (1000 * request) / machineBytes), 3), 999);
}

const CAP_SYS_RESOURCE = 24n;

/** Without the right to it, no process may be made safer than the agent itself: inside of containers, for one. */
export const lowestOomScore: number = (() => {
  const rights = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  if ((BigInt(`0x${rights}`) >> CAP_SYS_RESOURCE) & 1n) return -1000;
  return Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
})();

function cpuShares(milli: number): number {
  return Math.min(Math.max(Math.floor((milli * 1024) / 1000), 2), 262_144);
}

/** Flags of `nerdctl run` for a container's requests and limits. */
export function resourceFlags(pod: CoreV1Pod, container: CoreV1Container, machineBytes: number): string[] {
  const score = Math.max(oomScore(pod, container, machineBytes), lowestOomScore);
  return [...limitFlags(container.resources), "--oom-score-adj", `${score}`];
}

/** Those of them that `nerdctl update` takes as well. */
export function limitFlags({ requests, limits }: CoreV1ResourceRequirements = {}): string[] {
  const memory = bytes(limits?.memory);
  const cpu = millis(limits?.cpu);
  return [
    ...["--cpu-shares", `${cpuShares(millis(requests?.cpu ?? limits?.cpu))}`],
    ...(cpu ? ["--cpu-period", "100000", "--cpu-quota", `${Math.max(cpu * 100, 1000)}`] : []),
    ...(memory ? ["--memory", `${memory}`, "--memory-swap", `${memory}`] : []),
  ];
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
