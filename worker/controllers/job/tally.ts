import type { Job } from "../../kinds/batch/job.ts";
import type { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodReady, isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { conditionOf } from "../conditions.ts";
import { formatIndexes, indexOf, parseIndexes } from "./indexes.ts";
import { isTracked } from "./pods.ts";

export type OneJob = Readonly<Job>;
export type OnePod = Readonly<Pod>;

/** How a Job stands, its newly finished pods counted in. */
export type Tally = {
  succeeded: number;
  failed: number;
  completed: Set<number>;
  active: OnePod[];
  ready: number;
  terminating: number;
  /** Counted now: their finalizer can go. */
  counted: OnePod[];
};

export const isIndexed = (job: OneJob): boolean => job.spec?.completionMode === "Indexed";
export const is = (job: OneJob, type: string): boolean => conditionOf(job.status?.conditions, type)?.status === "True";
export const isFinished = (job: OneJob): boolean => is(job, "Complete") || is(job, "Failed");

const isLeaving = (pod: OnePod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** A pod that is being deleted counts as failed, unless only those that have really failed are to be replaced. */
function hasFailed(job: OneJob, pod: OnePod): boolean {
  if (pod.status?.phase === "Failed") return true;
  return isLeaving(pod) && pod.status?.phase !== "Succeeded" && job.spec?.podReplacementPolicy !== "Failed";
}

export function tally(job: OneJob, pods: readonly OnePod[]): Tally {
  const completed = parseIndexes(job.status?.completedIndexes);
  const fresh = pods.filter(isTracked);
  const successes = fresh.filter((pod) => pod.status?.phase === "Succeeded");
  const failures = fresh.filter((pod) => hasFailed(job, pod));
  const completions = job.spec?.completions ?? 0;
  for (const pod of successes) {
    const index = indexOf(pod);
    if (isIndexed(job) && index !== undefined && index < completions) completed.add(index);
  }
  const active = pods.filter(isPodActive);
  return {
    succeeded: isIndexed(job) ? completed.size : (job.status?.succeeded ?? 0) + successes.length,
    failed: (job.status?.failed ?? 0) + failures.length,
    completed,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => isLeaving(pod) && !isPodTerminal(pod)).length,
    counted: [...successes, ...failures],
  };
}

/** The counts as a status has them: what is 0 is left out, `ready` and `terminating` excepted. */
export function countsOf(job: OneJob, { succeeded, failed, completed, active, ready, terminating }: Tally) {
  return {
    ...(active.length > 0 && { active: active.length }),
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ...(isIndexed(job) && completed.size > 0 && { completedIndexes: formatIndexes(completed) }),
    ready,
    terminating,
    uncountedTerminatedPods: {},
  };
}

const FIRST_DELAY_MS = 10_000;
const LONGEST_DELAY_MS = 600_000;

/** When a pod that failed may be followed by another, ms since the epoch: 10 s later, doubled by each failure in a row. */
export function nextTry(job: OneJob, pods: readonly OnePod[]): number {
  const ends = pods.filter((pod) => isPodTerminal(pod) || hasFailed(job, pod)).map((pod) => ({ pod, at: endOf(pod) }));
  const lastSuccess = Math.max(0, ...ends.filter(({ pod }) => pod.status?.phase === "Succeeded").map(({ at }) => at));
  const failures = ends.filter(({ pod, at }) => hasFailed(job, pod) && at > lastSuccess);
  if (failures.length === 0) return 0;
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (failures.length - 1), LONGEST_DELAY_MS);
  return Math.max(...failures.map(({ at }) => at)) + delay;
}

function endOf({ status, metadata }: OnePod): number {
  const ends = (status?.containerStatuses ?? []).map(
    ({ state }) => Date.parse(state?.terminated?.finishedAt ?? "") || 0,
  );
  const ready = conditionOf(status?.conditions, "Ready");
  const others = [ready?.status === "False" ? ready.lastTransitionTime : undefined, metadata.creationTimestamp];
  return Math.max(...ends) > 0 ? Math.max(...ends) : Math.max(...others.map((time) => Date.parse(time ?? "") || 0));
}
