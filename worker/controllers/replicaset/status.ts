import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import type { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodAvailable, isPodReady, podAvailableAt } from "../../kinds/core/pod-conditions.ts";
import type { ReplicationController } from "../../kinds/core/replication-controller.ts";
import { matchesLabels } from "../../lib/selectors.ts";
import { conditionOf, withCondition, withoutCondition } from "../conditions.ts";
import { isTerminating } from "../pods.ts";

type Status = NonNullable<ReplicaSet["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];
export type Failure = { reason: "FailedCreate" | "FailedDelete"; message: string };

/** What a ReplicaSet says of its pods. Counts of 0 are left out, `replicas` and `terminatingReplicas` excepted. */
export function replicaSetStatus(
  set: Readonly<ReplicaSet | ReplicationController>,
  pods: readonly Readonly<Pod>[],
  now: number,
  failure?: Failure,
): Status {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const labels = set.spec?.template?.metadata?.labels;
  const active = pods.filter(isPodActive);
  const count = (test: (pod: Readonly<Pod>) => boolean) => active.filter(test).length || undefined;
  const conditions = withFailure(set.status?.conditions ?? [], failure, now);
  return definedOnly({
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => matchesLabels(labels, pod.metadata.labels)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => isPodAvailable(pod, minReadySeconds, now)),
    // Only the newer kind has it.
    terminatingReplicas: set.kind === "ReplicationController" ? undefined : pods.filter(isTerminating).length,
    observedGeneration: set.metadata.generation,
    conditions: conditions.length > 0 ? conditions : undefined,
  });
}

/** A failure for the same reason keeps the first message: a new one for every try would be a write for every try. */
function withFailure(known: readonly Condition[], failure: Failure | undefined, now: number): Condition[] {
  if (!failure) return withoutCondition(known, "ReplicaFailure");
  if (conditionOf(known, "ReplicaFailure")?.reason === failure.reason) return [...known];
  return withCondition(known, { type: "ReplicaFailure", status: "True", ...failure }, now);
}

/** When the next ready pod becomes available, ms from now; undefined when none is on its way. */
export function nextAvailable(
  set: Readonly<ReplicaSet | ReplicationController>,
  pods: readonly Readonly<Pod>[],
  now: number,
): number | undefined {
  const { minReadySeconds = 0 } = set.spec ?? {};
  if (minReadySeconds <= 0) return undefined;
  const times = pods.filter(isPodActive).map((pod) => podAvailableAt(pod, minReadySeconds) ?? 0);
  const soonest = Math.min(...times.filter((time) => time > now));
  return Number.isFinite(soonest) ? soonest - now : undefined;
}

function definedOnly<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
