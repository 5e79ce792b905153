import { Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { same } from "../../kinds/paths.ts";
import { timestamp } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { conditionOf, withCondition } from "../conditions.ts";
import type { Context, Controller, Intent } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import { claim, keysOfOwners } from "../owners.ts";
import { inDeletionOrder } from "../replicaset/deletion-order.ts";
import { freeIndexes, indexOf } from "./indexes.ts";
import { creation, dismissal, failureMarks, isTracked, untracked } from "./pods.ts";
import { judge } from "./policies.ts";
import {
  countFailures,
  countsOf,
  is,
  isFinished,
  isIndexed,
  nextTry,
  nextTryOfIndex,
  type OneJob,
  type OnePod,
  type Tally,
  tally,
} from "./tally.ts";
import { deadlineOf, type Verdict, verdictOf } from "./verdict.ts";

/** Pods made by one reconcile; their own writes bring the key back for the rest. */
const BURST = 500;

type Status = NonNullable<Job["status"]>;
const selects = (job: OneJob, object: Readonly<KubeObject>): boolean =>
  matchesSelector(job.spec?.selector, object.metadata?.labels);

/**
 * Runs pods until enough of them have succeeded.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
export const jobController: Controller = {
  name: "job-controller",
  watches: [watch(Job, ownKey), watch(Pod, (pod, old, view) => keysOfOwners(Job, pod, old, view, selects))],
  reconcile(view, key, context) {
    const job = view.get(Job, ...splitKey(key));
    if (!job) return [];
    if (job.spec?.managedBy && job.spec.managedBy !== "kubernetes.io/job-controller") return [];
    const { claimed, intents } = claim(view, Job, job, Pod, (pod) => selects(job, pod));
    if (intents.length > 0) return intents;
    if (isFinished(job)) return claimed.filter(isTracked).map(untracked);
    return step(job, claimed, tally(job, claimed), context);
  },
  refused(view, key, { intent, error }) {
    const job = view.get(Job, ...splitKey(key));
    return job && intent.do === "create" ? [warning(job, "FailedCreate", `Error creating: ${error.message}`)] : [];
  },
};

function step(job: OneJob, pods: readonly OnePod[], counts: Tally, context: Context): Intent[] {
  const { now } = context;
  const status = begin(job, { ...kept(job), ...countsOf(job, counts) }, now);
  const verdict = verdictOf(job, pods, counts, status, now);
  if (verdict) return conclude(job, counts, status, verdict, now);
  const written = writeStatus(job, status, counts.counted);
  if (job.metadata.deletionTimestamp) return written;
  if (job.spec?.suspend) return [...written, ...counts.active.flatMap((pod) => dismissal(job, pod))];
  return [...written, ...balance(job, pods, counts, context), ...deadline(job, status, now)];
}

/** The parts of a status that are no counts. */
function kept({ status = {} }: OneJob): Status {
  const { startTime, completionTime, conditions } = status;
  return {
    ...(conditions && { conditions }),
    ...(startTime && { startTime }),
    ...(completionTime && { completionTime }),
  };
}

/** The clock runs from the first time that the Job is not suspended, and anew after each suspension. */
function begin(job: OneJob, status: Status, now: number): Status {
  const suspended = conditionOf(status.conditions, "Suspended");
  const set = (state: string, reason: string, message: string) =>
    withCondition(status.conditions, { type: "Suspended", status: state, reason, message }, now);
  if (job.spec?.suspend) {
    const { startTime: _, ...rest } = status;
    return { ...rest, conditions: set("True", "JobSuspended", "Job suspended") };
  }
  const started = { ...status, startTime: status.startTime ?? timestamp(now) };
  return suspended?.status === "True" ? { ...started, conditions: set("False", "JobResumed", "Job resumed") } : started;
}

function deadline(job: OneJob, status: Status, now: number): Intent[] {
  const at = deadlineOf(job, status);
  return Number.isFinite(at) ? [{ do: "again", afterMs: Math.max(1, at - now) }] : [];
}

/** First the pods go, then the Job is called finished. No index is tried again. */
function conclude(job: OneJob, counts: Tally, status: Status, verdict: Verdict, now: number): Intent[] {
  const { reason, message } = verdict;
  const succeeded = verdict.type === "SuccessCriteriaMet";
  const held = [...counts.held.values()];
  // Pods that a failure ends have failed, those that a success makes needless have not.
  const failed = counts.failed + countFailures(job, succeeded ? held : [...held, ...counts.active]);
  if (failed > 0) status.failed = failed;
  const counted = [...counts.counted, ...held];
  const set = (type: string) => {
    status.conditions = withCondition(status.conditions, { type, status: "True", reason, message }, now);
  };
  set(verdict.type);
  if (counts.active.length > 0)
    return [...writeStatus(job, status, counted), ...counts.active.flatMap((pod) => dismissal(job, pod))];
  if (counts.terminating > 0) return writeStatus(job, status, counted);
  set(succeeded ? "Complete" : "Failed");
  if (succeeded) status.completionTime = timestamp(now);
  const event = succeeded ? normal(job, "Completed", "Job completed") : warning(job, reason, message);
  return [...writeStatus(job, status, counted), event];
}

/** Makes or removes pods until as many run as are wanted. */
function balance(job: OneJob, pods: readonly OnePod[], counts: Tally, { now, random }: Context): Intent[] {
  const { active, succeeded } = counts;
  const { completions, parallelism = 1, podReplacementPolicy } = job.spec ?? {};
  const left = completions === undefined ? (succeeded > 0 ? active.length : parallelism) : completions - succeeded;
  const wanted = Math.min(parallelism, Math.max(0, left));
  if (active.length > wanted)
    return inDeletionOrder(active, active, now)
      .slice(0, active.length - wanted)
      .flatMap((pod) => dismissal(job, pod));
  const waiting = podReplacementPolicy === "Failed" ? counts.terminating : 0;
  const missing = Math.min(BURST, wanted - active.length - waiting);
  if (missing <= 0) return [];
  const wait = counts.failedIndexes ? 0 : nextTry(job, pods) - now;
  if (wait > 0) return [{ do: "again", afterMs: wait }];
  if (!isIndexed(job)) return Array.from({ length: missing }, () => creation(job, undefined, random)).flat();
  const leaving = podReplacementPolicy === "Failed" ? pods.filter((pod) => pod.metadata.deletionTimestamp) : [];
  const indexes = [...active, ...leaving].map((pod) => indexOf(pod) ?? -1);
  const taken = new Set([...counts.completed, ...(counts.failedIndexes ?? []), ...indexes]);
  return createIndexes(job, freeIndexes(completions ?? 0, taken, missing), counts, now, random);
}

/** Where each index has a limit of failures, each waits for itself. */
function createIndexes(
  job: OneJob,
  indexes: readonly number[],
  { failedIndexes, held }: Tally,
  now: number,
  random: () => number,
): Intent[] {
  if (!failedIndexes) return indexes.flatMap((index) => creation(job, index, random));
  const due = indexes.filter((index) => nextTryOfIndex(held.get(index)) <= now);
  if (due.length === 0 && indexes.length > 0) {
    const soonest = Math.min(...indexes.map((index) => nextTryOfIndex(held.get(index))));
    return [{ do: "again", afterMs: soonest - now }];
  }
  return due.flatMap((index) => {
    const before = held.get(index);
    return creation(job, index, random, failureMarks(before, before ? judge(job, before).counts : false));
  });
}

/** Writes how the Job stands and lets go of the pods that are counted in it: one without the other counts a pod never, or twice. */
function writeStatus(job: OneJob, status: Status, counted: readonly OnePod[]): Intent[] {
  const released = counted.map(untracked);
  if (same(status, job.status)) return released;
  const write = { do: "updateStatus", kind: Job, object: { ...job, status } as Job } as const;
  const intents: Intent[] = released.length > 0 ? [{ do: "together", intents: [...released, write] }] : [write];
  const suspended = conditionOf(status.conditions, "Suspended")?.status === "True";
  if (suspended && !is(job, "Suspended")) intents.push(normal(job, "Suspended", "Job suspended"));
  if (!suspended && is(job, "Suspended")) intents.push(normal(job, "Resumed", "Job resumed"));
  return intents;
}
