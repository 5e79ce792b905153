import type { Deployment } from "../../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { timestamp } from "../../lib/effects.ts";
import { conditionOf, withoutCondition } from "../conditions.ts";
import { hasDeadline, minAvailable, replicasOf } from "./bounds.ts";
import { sizeOf } from "./scaling.ts";

type Status = NonNullable<Deployment["status"]>;
export type Condition = NonNullable<Status["conditions"]>[number];
type Sets = readonly Readonly<ReplicaSet>[];

const sum = (sets: Sets, value: (set: Readonly<ReplicaSet>) => number | undefined) =>
  sets.reduce((n, set) => n + (value(set) ?? 0), 0);

/** Replaces the condition of its type unless status and reason are as they were. */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, "lastUpdateTime" | "lastTransitionTime">,
  now: number,
): Condition[] {
  const known = conditionOf(conditions, next.type);
  if (known && known.status === next.status && known.reason === next.reason) return [...conditions];
  const time = timestamp(now);
  const lastTransitionTime = known?.status === next.status ? known.lastTransitionTime : time;
  return [...withoutCondition(conditions, next.type), { ...next, lastUpdateTime: time, lastTransitionTime }];
}

/** All that follows from the sets alone; the Progressing condition is judged by `progress`. */
export function deploymentStatus(
  d: Readonly<Deployment>,
  newest: Readonly<ReplicaSet> | undefined,
  sets: Sets,
  conditions: readonly Condition[],
  now: number,
): Status {
  const available = sum(sets, (set) => set.status?.availableReplicas);
  const enough = available >= minAvailable(d);
  return compact({
    observedGeneration: d.metadata.generation,
    replicas: sum(sets, (set) => set.status?.replicas),
    updatedReplicas: newest?.status?.replicas,
    readyReplicas: sum(sets, (set) => set.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(sets, sizeOf) - available),
    terminatingReplicas: sum(sets, (set) => set.status?.terminatingReplicas),
    collisionCount: d.status?.collisionCount,
    conditions: setCondition(
      conditions,
      enough
        ? {
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.",
          }
        : {
            type: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.",
          },
      now,
    ),
  });
}

/** Counts of 0 are left out, as the API writes them. */
function compact(status: Status): Status {
  const { terminatingReplicas, ...rest } = status;
  const entries = Object.entries(rest).filter(([, value]) => value !== undefined && value !== 0);
  return { ...(Object.fromEntries(entries) as Status), terminatingReplicas };
}

/** The rollout is over: all pods are of the newest template and available. */
export function isComplete(d: Readonly<Deployment>, status: Status): boolean {
  const replicas = replicasOf(d);
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0)
  );
}

function hasProgressed(before: Status, after: Status): boolean {
  const old = (status: Status) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** When a Progressing condition runs out, ms since the epoch; undefined when it cannot. */
export function progressDeadline(d: Readonly<Deployment>, status: Status): number | undefined {
  const condition = conditionOf(status.conditions, "Progressing");
  if (!condition || !hasDeadline(d)) return undefined;
  if (condition.reason === "NewReplicaSetAvailable" || condition.reason === "ProgressDeadlineExceeded")
    return undefined;
  return Date.parse(condition.lastUpdateTime ?? "") + (d.spec.progressDeadlineSeconds ?? 0) * 1000;
}

/**
 * Judges the rollout: complete, progressing, or stuck for `progressDeadlineSeconds`.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function progress(
  d: Readonly<Deployment>,
  newest: Readonly<ReplicaSet> | undefined,
  status: Status,
  now: number,
): Condition[] {
  const conditions = status.conditions ?? [];
  if (!hasDeadline(d)) return withoutCondition(conditions, "Progressing");
  const current = conditionOf(conditions, "Progressing");
  const subject = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${d.metadata.name}"`;
  const done = (status.replicas ?? 0) === (status.updatedReplicas ?? 0);
  if (done && current?.reason === "NewReplicaSetAvailable") return conditions;
  const make = (state: string, reason: string, what: string) => ({
    type: "Progressing",
    status: state,
    reason,
    message: `${subject} ${what}.`,
  });
  if (isComplete(d, status))
    return setCondition(conditions, make("True", "NewReplicaSetAvailable", "has successfully progressed"), now);
  if (hasProgressed(d.status ?? {}, status)) {
    // The same reason again must move lastUpdateTime, from which the deadline counts.
    const fresh = setCondition(
      withoutCondition(conditions, "Progressing"),
      make("True", "ReplicaSetUpdated", "is progressing"),
      now,
    );
    return fresh.map((c) =>
      c.type === "Progressing" && current?.status === "True"
        ? { ...c, lastTransitionTime: current.lastTransitionTime }
        : c,
    );
  }
  const deadline = progressDeadline(d, status);
  if (deadline !== undefined && now > deadline)
    return setCondition(conditions, make("False", "ProgressDeadlineExceeded", "has timed out progressing"), now);
  return conditions;
}

/** A set's failure to make pods, as the Deployment's own; the newest set's first. */
export function withReplicaFailure(conditions: readonly Condition[], sets: Sets, now: number): Condition[] {
  const failures = sets.map((set) => conditionOf(set.status?.conditions, "ReplicaFailure"));
  const failure = failures.find((condition) => condition !== undefined);
  if (!failure) return withoutCondition(conditions, "ReplicaFailure");
  const { type, status, reason, message } = failure;
  return setCondition(conditions, { type, status, reason, message }, now);
}
