import type { Job } from "../../kinds/batch/job.ts";
import type { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodReady, isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { conditionOf } from "../conditions.ts";
import { formatIndexes, indexOf, parseIndexes } from "./indexes.ts";
import { failuresOf, isTracked } from "./pods.ts";
import { judge } from "./policies.ts";

export type OneJob = Readonly<Job>;
export type OnePod = Readonly<Pod>;

/** How a Job stands, its newly finished pods counted in. */
export type Tally = {
  succeeded: number;
  failed: number;
  completed: Set<number>;
  /** Indexes that are not tried again; only for Jobs with a limit for each index. */
  failedIndexes?: Set<number>;
  active: OnePod[];
  ready: number;
  terminating: number;
  /** Counted now: their finalizer can go. */
  counted: OnePod[];
  /** By index: failures that are counted when the next pod of their index, who goes on from their count, is there. */
  held: Map<number, OnePod>;
};

export const isIndexed = (job: OneJob): boolean => job.spec?.completionMode === "Indexed";
export const is = (job: OneJob, type: string): boolean => conditionOf(job.status?.conditions, type)?.status === "True";
export const isFinished = (job: OneJob): boolean => is(job, "Complete") || is(job, "Failed");

const isLeaving = (pod: OnePod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** A pod that is being deleted counts as failed, unless only those that have really failed are to be replaced. */
export function hasFailed(job: OneJob, pod: OnePod): boolean {
  if (pod.status?.phase === "Failed") return true;
  return isLeaving(pod) && pod.status?.phase !== "Succeeded" && job.spec?.podReplacementPolicy !== "Failed";
}

/** The index of a pod, if it is one of its Job's. */
const ownIndex = (job: OneJob, pod: OnePod): number | undefined => {
  const index = isIndexed(job) ? indexOf(pod) : undefined;
  return index !== undefined && index < (job.spec?.completions ?? 0) ? index : undefined;
};

export const countFailures = (job: OneJob, pods: readonly OnePod[]): number =>
  pods.filter((pod) => judge(job, pod).counts).length;

export function tally(job: OneJob, pods: readonly OnePod[]): Tally {
  const completed = parseIndexes(job.status?.completedIndexes);
  const fresh = pods.filter(isTracked);
  const successes = fresh.filter((pod) => pod.status?.phase === "Succeeded");
  const failures = fresh.filter((pod) => hasFailed(job, pod));
  for (const pod of successes) {
    const index = ownIndex(job, pod);
    if (index !== undefined) completed.add(index);
  }
  const active = pods.filter(isPodActive);
  const failedIndexes = failedIndexesOf(job, failures);
  const held = failedIndexes ? heldPods(job, failures, new Set([...completed, ...failedIndexes]), active) : new Map();
  const counted = failures.filter((pod) => held.get(indexOf(pod)) !== pod);
  return {
    succeeded: isIndexed(job) ? completed.size : (job.status?.succeeded ?? 0) + successes.length,
    failed: (job.status?.failed ?? 0) + countFailures(job, counted),
    completed,
    failedIndexes,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => isLeaving(pod) && !isPodTerminal(pod)).length,
    counted: [...successes, ...counted],
    held,
  };
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index */
function failedIndexesOf(job: OneJob, failures: readonly OnePod[]): Set<number> | undefined {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined || !isIndexed(job)) return undefined;
  const failed = parseIndexes(job.status?.failedIndexes);
  for (const pod of failures) {
    const index = ownIndex(job, pod);
    const { counts, failsIndex } = judge(job, pod);
    if (index !== undefined && (failsIndex || (counts && failuresOf(pod).counted >= limit))) failed.add(index);
  }
  return failed;
}

/** Of each index that is to be tried again the pod that failed last. */
function heldPods(
  job: OneJob,
  failures: readonly OnePod[],
  settled: ReadonlySet<number>,
  active: readonly OnePod[],
): Map<number, OnePod> {
  const running = new Set(active.map(indexOf));
  const held = new Map<number, OnePod>();
  for (const pod of failures) {
    const index = ownIndex(job, pod);
    if (index === undefined || settled.has(index) || running.has(index)) continue;
    const other = held.get(index);
    if (!other || failuresOf(pod).all > failuresOf(other).all) held.set(index, pod);
  }
  return held;
}

/** The counts as a status has them: what is 0 is left out, `ready` and `terminating` excepted. */
export function countsOf(job: OneJob, counts: Tally) {
  const { succeeded, failed, completed, failedIndexes, active, ready, terminating } = counts;
  return {
    ...(active.length > 0 && { active: active.length }),
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ...(isIndexed(job) && completed.size > 0 && { completedIndexes: formatIndexes(completed) }),
    ...(failedIndexes && { failedIndexes: formatIndexes(failedIndexes) }),
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
  return Math.max(...failures.map(({ at }) => at)) + delayAfter(failures.length);
}

/** When an index may be tried again whose pod has failed, ms since the epoch. */
export const nextTryOfIndex = (failed: OnePod | undefined): number =>
  failed ? endOf(failed) + delayAfter(failuresOf(failed).all + 1) : 0;

const delayAfter = (failures: number): number => Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);

function endOf({ status, metadata }: OnePod): number {
  const ends = (status?.containerStatuses ?? []).map(
    ({ state }) => Date.parse(state?.terminated?.finishedAt ?? "") || 0,
  );
  const ready = conditionOf(status?.conditions, "Ready");
  const others = [ready?.status === "False" ? ready.lastTransitionTime : undefined, metadata.creationTimestamp];
  return Math.max(...ends) > 0 ? Math.max(...ends) : Math.max(...others.map((time) => Date.parse(time ?? "") || 0));
}
