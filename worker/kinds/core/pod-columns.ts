import { humanDuration } from "../../lib/duration.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { CoreV1ContainerStatus, CoreV1Pod, CoreV1PodCondition } from "../generated/types.ts";
import type { Column } from "../kind.ts";
import { isPodReady, isPodTerminal, isSidecar, podCondition } from "./pod-conditions.ts";

/** `kubectl get pods`: https://kubernetes.io/docs/reference/kubectl/quick-reference/ */
type Summary = { ready: number; containers: number; status: string; restarts: number; lastRestart: number };

function summarizePod(pod: CoreV1Pod): Summary {
  const { spec, status } = pod;
  const inits = new Map((spec?.initContainers ?? []).map((container) => [container.name, container]));
  const sidecars = [...inits.values()].filter(isSidecar).length;
  const gated = status?.conditions?.some(isGated) ? "SchedulingGated" : undefined;
  const summary: Summary = {
    ready: 0,
    containers: (spec?.containers?.length ?? 0) + sidecars,
    status: gated ?? (status?.reason || status?.phase || ""),
    restarts: 0,
    lastRestart: 0,
  };
  const isSidecarStatus = (container: CoreV1ContainerStatus) => isSidecar(inits.get(container.name));
  const initializing = summarizeInit(pod, summary, isSidecarStatus);
  if (!initializing || podCondition(pod, "Initialized")?.status === "True")
    summarizeContainers(pod, summary, (status?.initContainerStatuses ?? []).filter(isSidecarStatus));
  if (pod.metadata?.deletionTimestamp) {
    if (status?.reason === "NodeLost") summary.status = "Unknown";
    else if (!isPodTerminal(pod)) summary.status = "Terminating";
  }
  return summary;
}

const isGated = (condition: CoreV1PodCondition) =>
  condition.type === "PodScheduled" && condition.reason === "SchedulingGated";

/** Counts restarts of init containers until one that is still at work or failed; says whether there is one. */
function summarizeInit(pod: CoreV1Pod, summary: Summary, sidecar: (status: CoreV1ContainerStatus) => boolean): boolean {
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    countRestarts(summary, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated && !terminated.exitCode) continue;
    if (sidecar(container) && container.started) {
      if (container.ready) summary.ready++;
      continue;
    }
    if (terminated) summary.status = `Init:${ended(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") summary.status = `Init:${waiting.reason}`;
    else summary.status = `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function summarizeContainers(pod: CoreV1Pod, summary: Summary, sidecars: readonly CoreV1ContainerStatus[]): void {
  summary.restarts = 0;
  summary.lastRestart = 0;
  for (const container of sidecars) countRestarts(summary, container);
  let running = false;
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    countRestarts(summary, container);
    const { terminated, waiting } = container.state ?? {};
    if (waiting?.reason) summary.status = waiting.reason;
    else if (terminated) summary.status = ended(terminated);
    else if (container.ready && container.state?.running) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.status === "Completed" && running) summary.status = isPodReady(pod) ? "Running" : "NotReady";
}

function countRestarts(summary: Summary, container: CoreV1ContainerStatus): void {
  summary.restarts += container.restartCount ?? 0;
  const finished = container.lastState?.terminated?.finishedAt;
  if (finished) summary.lastRestart = Math.max(summary.lastRestart, Date.parse(finished));
}

function ended(state: { reason?: string; signal?: number; exitCode: number }): string {
  return state.reason || (state.signal ? `Signal:${state.signal}` : `ExitCode:${state.exitCode ?? 0}`);
}

function restartsCell(pod: CoreV1Pod, now: number): string {
  const { restarts, lastRestart } = summarizePod(pod);
  return restarts && lastRestart ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : `${restarts}`;
}

function gatesCell({ spec, status }: CoreV1Pod): string {
  const gates = spec?.readinessGates ?? [];
  const met = gates.filter((gate) =>
    status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === "True"),
  );
  return gates.length ? `${met.length}/${gates.length}` : "<none>";
}

export const podColumns: readonly Column<CoreV1Pod>[] = [
  nameColumn,
  {
    name: "Ready",
    type: "string",
    value(pod) {
      const { ready, containers } = summarizePod(pod);
      return `${ready}/${containers}`;
    },
  },
  { name: "Status", type: "string", value: (pod) => summarizePod(pod).status },
  { name: "Restarts", type: "string", value: restartsCell },
  ageColumn,
  { name: "IP", type: "string", priority: 1, value: ({ status }) => status?.podIPs?.[0]?.ip || "<none>" },
  { name: "Node", type: "string", priority: 1, value: ({ spec }) => spec?.nodeName || "<none>" },
  {
    name: "Nominated Node",
    type: "string",
    priority: 1,
    value: ({ status }) => status?.nominatedNodeName || "<none>",
  },
  { name: "Readiness Gates", type: "string", priority: 1, value: gatesCell },
];
