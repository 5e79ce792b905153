import { JOB_NAME, Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { same } from "../../kinds/paths.ts";
import { timestamp } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { conditionOf, withCondition } from "../conditions.ts";
import type { Context, Controller, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import { claim, controllerOf, keysOfOwners } from "../owners.ts";
import { inDeletionOrder } from "../replicaset/deletion-order.ts";
import { freeIndexes, indexOf } from "./indexes.ts";
import { creation, dismissal, isTracked, removal, untracked } from "./pods.ts";
import { countsOf, is, isFinished, isIndexed, nextTry, type OneJob, type OnePod, type Tally, tally } from "./tally.ts";

/** Pods made by one reconcile; their own writes bring the key back for the rest. */
const BURST = 500;

type Status = NonNullable<Job["status"]>;
/** Why a Job ends. */
type Verdict = { type: "SuccessCriteriaMet" | "FailureTarget"; reason: string; message: string };

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
    const [namespace, name] = splitKey(key);
    const job = view.get(Job, namespace, name);
    if (!job) return abandoned(view, namespace, name);
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

/** Pods that a Job left behind need no counting any more. */
function abandoned(view: View, namespace: string, name: string): Intent[] {
  return view
    .list(Pod, namespace)
    .filter((pod) => isTracked(pod) && pod.metadata.labels?.[JOB_NAME] === name && controllerOf(pod)?.name === name)
    .map(untracked);
}

function step(job: OneJob, pods: readonly OnePod[], counts: Tally, context: Context): Intent[] {
  const { now } = context;
  // What is counted is let go in the same step as the count is written; both are one transaction.
  const released = counts.counted.map(untracked);
  const status = begin(job, { ...kept(job), ...countsOf(job, counts) }, now);
  const verdict = verdictOf(job, counts, status, now);
  if (verdict) return conclude(job, counts, status, verdict, released, now);
  const write = writeStatus(job, status);
  if (job.metadata.deletionTimestamp) return [...released, ...write];
  if (job.spec?.suspend) return [...released, ...write, ...counts.active.flatMap((pod) => dismissal(job, pod))];
  return [...released, ...write, ...balance(job, pods, counts, context), ...deadline(job, status, now)];
}

/** The parts of a status that are no counts. */
function kept({ status = {} }: OneJob): Status {
  const { startTime, completionTime, conditions, failedIndexes } = status;
  return {
    ...(conditions && { conditions }),
    ...(startTime && { startTime }),
    ...(completionTime && { completionTime }),
    ...(failedIndexes && { failedIndexes }),
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

function verdictOf(
  job: OneJob,
  { succeeded, failed, active }: Tally,
  status: Status,
  now: number,
): Verdict | undefined {
  const known = (status.conditions ?? []).find(
    ({ type, status: state }) => (type === "FailureTarget" || type === "SuccessCriteriaMet") && state === "True",
  );
  if (known) return { type: known.type as Verdict["type"], reason: known.reason ?? "", message: known.message ?? "" };
  const limit = job.spec?.backoffLimit ?? 6;
  if (failed > limit || restartedTooOften(job, active, limit)) return failure("BackoffLimitExceeded", LIMIT_REACHED);
  if (now >= deadlineOf(job, status))
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  const { completions } = job.spec ?? {};
  const enough = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions;
  if (!enough || job.spec?.suspend) return undefined;
  const message = "Reached expected number of succeeded pods";
  return { type: "SuccessCriteriaMet", reason: "CompletionsReached", message };
}

const LIMIT_REACHED = "Job has reached the specified backoff limit";
const failure = (reason: string, message: string): Verdict => ({ type: "FailureTarget", reason, message });

/** Pods that restart in place do not fail: their restarts count instead. */
function restartedTooOften(job: OneJob, active: readonly OnePod[], limit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = active
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function deadlineOf(job: OneJob, { startTime }: Status): number {
  const seconds = job.spec?.activeDeadlineSeconds;
  return seconds === undefined || !startTime ? Number.POSITIVE_INFINITY : Date.parse(startTime) + seconds * 1000;
}

function deadline(job: OneJob, status: Status, now: number): Intent[] {
  const at = deadlineOf(job, status);
  return Number.isFinite(at) ? [{ do: "again", afterMs: Math.max(1, at - now) }] : [];
}

/** First the pods go, then the Job is called finished. */
function conclude(
  job: OneJob,
  counts: Tally,
  status: Status,
  verdict: Verdict,
  released: Intent[],
  now: number,
): Intent[] {
  const { reason, message } = verdict;
  const set = (type: string) => {
    status.conditions = withCondition(status.conditions, { type, status: "True", reason, message }, now);
  };
  set(verdict.type);
  if (counts.active.length > 0)
    return [...released, ...writeStatus(job, status), ...counts.active.flatMap((pod) => removal(job, pod))];
  if (counts.terminating > 0) return [...released, ...writeStatus(job, status)];
  const succeeded = verdict.type === "SuccessCriteriaMet";
  set(succeeded ? "Complete" : "Failed");
  if (succeeded) status.completionTime = timestamp(now);
  const event = succeeded ? normal(job, "Completed", "Job completed") : warning(job, reason, message);
  return [...released, ...writeStatus(job, status), event];
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
  const wait = nextTry(job, pods) - now;
  if (wait > 0) return [{ do: "again", afterMs: wait }];
  if (!isIndexed(job)) return Array.from({ length: missing }, () => creation(job, undefined, random)).flat();
  const taken = new Set([...counts.completed, ...active.map((pod) => indexOf(pod) ?? -1)]);
  return freeIndexes(completions ?? 0, taken, missing).flatMap((index) => creation(job, index, random));
}

function writeStatus(job: OneJob, status: Status): Intent[] {
  if (same(status, job.status)) return [];
  const intents: Intent[] = [{ do: "updateStatus", kind: Job, object: { ...job, status } as Job }];
  const suspended = conditionOf(status.conditions, "Suspended")?.status === "True";
  if (suspended && !is(job, "Suspended")) intents.push(normal(job, "Suspended", "Job suspended"));
  if (!suspended && is(job, "Suspended")) intents.push(normal(job, "Resumed", "Job resumed"));
  return intents;
}
