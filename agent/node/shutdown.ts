/**
 * The machine is about to be shut down: its pods end in the order of their priorities, each group within a time of its own.
 * https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#graceful-node-shutdown
 */
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Timers } from "../effects.ts";
import type { Rejection } from "../pods/admission.ts";
import type { Ended } from "../pods/memory.ts";

/** Pods of at least this priority, and below the next, get so long. */
export type GracePeriod = { priority: number; seconds: number };

/** That of system-cluster-critical and system-node-critical, the classes of what others need to the last. */
const CRITICAL = 2_000_000_000;

export const SHUTTING_DOWN = "node is shutting down";
const MESSAGE = "Pod was terminated in response to imminent node shutdown.";

/** What a node says of a pod that comes meanwhile. */
export const refusal: Rejection = { reason: "NodeShutdown", message: "Pod was rejected as the node is shutting down." };

/** `total` seconds, of which the last `critical` are for critical pods alone: shutdownGracePeriod and …CriticalPods. */
export function gracePeriods(total: number, critical: number): GracePeriod[] {
  if (!(total > 0)) return [];
  if (critical < 0 || critical > total) throw new Error("what critical pods get is a part of the whole grace period");
  return [
    { priority: 0, seconds: total - critical },
    { priority: CRITICAL, seconds: critical },
  ];
}

/** The periods in the order in which they come, each with its pods; what lies outside goes with the nearest. */
export function inOrder<T extends { pod: CoreV1Pod }>(
  periods: readonly GracePeriod[],
  pods: readonly T[],
): { seconds: number; pods: T[] }[] {
  const groups = periods.toSorted((a, b) => a.priority - b.priority).map((period) => ({ ...period, pods: [] as T[] }));
  for (const item of pods) {
    const priority = item.pod.spec.priority ?? 0;
    const group = groups.findLast((candidate) => candidate.priority <= priority) ?? groups[0];
    group?.pods.push(item);
  }
  return groups.map(({ seconds, pods: members }) => ({ seconds, pods: members }));
}

export type ShutdownDeps = {
  /** Pods that are not over. */
  pods(): readonly { uid: string; pod: CoreV1Pod }[];
  end(uid: string, verdict: Ended): void;
  isRunning(uid: string): boolean;
  tellNode(type: "Normal" | "Warning", reason: string, message: string): void;
  effects: Timers & { now(): number };
  log(message: string): void;
  /** It begins, or is called off. */
  changed(): void;
};

const LOOK_EVERY_MS = 100;

export class NodeShutdown {
  readonly #deps: ShutdownDeps;
  #active = false;

  constructor(deps: ShutdownDeps) {
    this.#deps = deps;
  }

  /** The node takes no pods, and is not Ready. */
  get active(): boolean {
    return this.#active;
  }

  /** Resolves when all pods have ended, or have had their time. */
  async begin(periods: readonly GracePeriod[]): Promise<void> {
    const { pods, tellNode, changed, effects, log } = this.#deps;
    this.#active = true;
    tellNode("Normal", "NodeShutdown", "Shutdown manager detected shutdown event");
    changed();
    for (const { seconds, pods: group } of inOrder(periods, pods())) {
      if (!group.length || !this.#active) continue;
      log(`the node is shutting down: ${group.length} pods have ${seconds} s to end`);
      for (const { uid, pod } of group) this.#end(uid, pod, seconds);
      const until = effects.now() + seconds * 1000;
      while (effects.now() < until && group.some(({ uid }) => this.#deps.isRunning(uid)))
        await effects.sleep(LOOK_EVERY_MS);
    }
  }

  /** The machine goes on after all. What has ended stays so. */
  cancel(): void {
    if (!this.#active) return;
    this.#active = false;
    this.#deps.tellNode("Normal", "NodeShutdown", "Shutdown manager detected shutdown cancellation");
    this.#deps.changed();
  }

  #end(uid: string, { spec }: CoreV1Pod, seconds: number): void {
    this.#deps.end(uid, {
      reason: "Terminated",
      message: MESSAGE,
      graceSeconds: Math.min(spec.terminationGracePeriodSeconds ?? seconds, seconds),
      disruption: { reason: "TerminationByKubelet", message: MESSAGE },
    });
  }
}
