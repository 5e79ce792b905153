/** How far workloads have come, and what keeps them. */
import type { KubernetesObject } from "../../compose/convert/model.ts";
import { type Condition, type Plan, serviceSelector } from "../../compose/convert/project.ts";
import { nameOf, type Pod, type ProjectApi, podSelector, type Stored } from "./api.ts";
import type { ComposeContext } from "./plan.ts";

const LOOK_MS = 500;

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

/** Waits for services, and shows on a terminal for which. */
export class Waiting {
  private readonly context: ComposeContext;
  private readonly api: ProjectApi;
  private readonly plan: Plan;
  private readonly timeoutMs: number;
  private shown = "";

  constructor(context: ComposeContext, api: ProjectApi, plan: Plan, timeoutSeconds: number) {
    this.context = context;
    this.api = api;
    this.plan = plan;
    this.timeoutMs = timeoutSeconds * 1000;
  }

  private workload(service: string): KubernetesObject | undefined {
    return this.plan.services.find(({ name }) => name === service)?.objects.at(-1);
  }

  async until(service: string, condition?: Condition): Promise<void> {
    const workload = this.workload(service);
    if (!workload) return;
    const { now, sleep } = this.context.effects;
    const end = now() + this.timeoutMs;
    for (;;) {
      const stored = await this.api.get(workload);
      const pods = await this.api.pods(serviceSelector(this.plan.project, service));
      const { isThere, isLost, ready, wanted } = stored
        ? standing({ ...stored, kind: workload.kind }, pods, condition)
        : { isThere: false, isLost: "it was deleted meanwhile", ready: 0, wanted: 1 };
      if (isThere) return;
      const why = reasons(pods);
      const told = [isLost, ...why].filter((reason) => reason !== undefined).join("; ");
      if (isLost) throw new Error(`${service}: ${told}`);
      if (now() > end)
        throw new Error(`${service} is not ready after ${this.timeoutMs / 1000} s${told ? `: ${told}` : ""}`);
      this.show(
        `waiting for ${service}: ${ready} of ${wanted} ${condition === "service_started" ? "started" : "ready"}${why[0] ? ` (${why[0]})` : ""}`,
      );
      await sleep(LOOK_MS);
    }
  }

  async gone(object: KubernetesObject): Promise<void> {
    const { now, sleep } = this.context.effects;
    const end = now() + this.timeoutMs;
    while (await this.api.get(object)) {
      if (now() > end) throw new Error(`${nameOf(object)} does not go away`);
      this.show(`waiting for ${nameOf(object)} to go`);
      await sleep(LOOK_MS);
    }
  }

  /** Until none of the project's pods is there. */
  async empty(): Promise<void> {
    const { now, sleep } = this.context.effects;
    const end = now() + this.timeoutMs;
    for (;;) {
      const pods = await this.api.pods(podSelector(this.plan.project));
      if (pods.length === 0) return;
      if (now() > end)
        throw new Error(
          `still there after ${this.timeoutMs / 1000} s: ${pods.map(({ metadata }) => metadata.name).join(", ")}`,
        );
      this.show(`waiting for ${pods.length} pods to end`);
      await sleep(LOOK_MS);
    }
  }

  private show(text: string): void {
    if (!process.stderr.isTTY || process.env.TERM === "dumb" || text === this.shown) return;
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
    this.shown = text;
  }

  /** Makes room for a line. */
  pause(): void {
    if (this.shown) process.stderr.write("\r\x1b[K");
    this.shown = "";
  }

  end(): void {
    this.pause();
  }
}
