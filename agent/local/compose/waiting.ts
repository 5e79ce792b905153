/** How far a workload has come, and what keeps it. */
import type { Condition } from "../../compose/convert/project.ts";
import type { Pod, Stored } from "./api.ts";

export type Standing = { isThere: boolean; isLost?: string; ready: number; wanted: number };

type Counts = {
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
  desiredNumberScheduled?: number;
  updatedNumberScheduled?: number;
  numberReady?: number;
  ready?: number;
  succeeded?: number;
  conditions?: { type: string; status: string; message?: string }[];
};
type Spec = { replicas?: number; completions?: number };

/** Whether a workload is as far as a condition of `depends_on` asks, or up altogether where there is none. */
export function standing(workload: Stored, pods: readonly Pod[], condition?: Condition): Standing {
  const status = (workload.status ?? {}) as Counts;
  const spec = (workload.spec ?? {}) as Spec;
  const running = pods.filter(({ status: { phase } }) => phase === "Running" || phase === "Succeeded").length;
  if (workload.kind === "Job") {
    const wanted = spec.completions ?? 1;
    const is = (type: string) => status.conditions?.find((one) => one.type === type && one.status === "True");
    const failed = is("Failed");
    if (failed) return { isThere: false, isLost: failed.message ?? "it failed", ready: 0, wanted };
    const succeeded = status.succeeded ?? 0;
    const ready = condition === "service_completed_successfully" ? succeeded : succeeded + (status.ready ?? 0);
    return { isThere: is("Complete") !== undefined || ready >= wanted, ready, wanted };
  }
  const isSet = workload.kind === "DaemonSet";
  const wanted = (isSet ? status.desiredNumberScheduled : spec.replicas) ?? 1;
  const seen = (status.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);
  if (condition === "service_started") return { isThere: wanted === 0 || running > 0, ready: running, wanted };
  const ready = (isSet ? status.numberReady : status.readyReplicas) ?? 0;
  const updated = (isSet ? status.updatedNumberScheduled : status.updatedReplicas) ?? 0;
  const others = isSet ? 0 : (status.replicas ?? 0) - updated;
  return {
    isThere: seen && updated >= wanted && ready >= wanted && others <= 0,
    ready: seen ? Math.min(ready, updated) : 0,
    wanted,
  };
}

/** Why pods are not ready, as far as they tell. */
export function reasons(pods: readonly Pod[]): string[] {
  const told = pods.flatMap(({ metadata, status }) => {
    const waiting = status.containerStatuses?.map(({ state }) => state?.waiting).find((state) => state?.reason);
    if (waiting) return `${metadata.name}: ${[waiting.reason, waiting.message].filter(Boolean).join(": ")}`;
    const unmet = status.conditions?.find(
      ({ type, status: is, message }) => is === "False" && message && /Scheduled|Ready/.test(type),
    );
    return unmet ? `${metadata.name}: ${unmet.message}` : [];
  });
  return [...new Set(told)];
}
