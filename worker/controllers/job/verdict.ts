import type { Job } from "../../kinds/batch/job.ts";
import { judge, successOf } from "./policies.ts";
import { countFailures, hasFailed, type OneJob, type OnePod, type Tally } from "./tally.ts";

type Status = NonNullable<Job["status"]>;
/** Why a Job ends. */
export type Verdict = { type: "SuccessCriteriaMet" | "FailureTarget"; reason: string; message: string };

const failure = (reason: string, message: string): Verdict => ({ type: "FailureTarget", reason, message });
const success = (reason: string, message: string): Verdict => ({ type: "SuccessCriteriaMet", reason, message });

/** What was decided once stays; failures are looked at before successes. */
export function verdictOf(
  job: OneJob,
  pods: readonly OnePod[],
  counts: Tally,
  status: Status,
  now: number,
): Verdict | undefined {
  const known = (status.conditions ?? []).find(
    ({ type, status: state }) => (type === "FailureTarget" || type === "SuccessCriteriaMet") && state === "True",
  );
  if (known) return { type: known.type as Verdict["type"], reason: known.reason ?? "", message: known.message ?? "" };
  return failureOf(job, pods, counts, status, now) ?? completionOf(job, counts);
}

function failureOf(
  job: OneJob,
  pods: readonly OnePod[],
  counts: Tally,
  status: Status,
  now: number,
): Verdict | undefined {
  for (const pod of pods) {
    const { message } = hasFailed(job, pod) ? judge(job, pod) : {};
    if (message) return failure("PodFailurePolicy", message);
  }
  const limit = job.spec?.backoffLimit ?? 6;
  const failed = counts.failed + countFailures(job, [...counts.held.values()]);
  if (failed > limit || restartedTooOften(job, counts.active, limit))
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  if (now >= deadlineOf(job, status))
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  return failureOfIndexes(job, counts);
}

function failureOfIndexes(job: OneJob, { failedIndexes, completed }: Tally): Verdict | undefined {
  if (!failedIndexes || failedIndexes.size === 0) return undefined;
  const { completions = 0, maxFailedIndexes = Number.POSITIVE_INFINITY } = job.spec ?? {};
  if (failedIndexes.size > maxFailedIndexes)
    return failure("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  return failedIndexes.size + completed.size >= completions
    ? failure("FailedIndexes", "Job has failed indexes")
    : undefined;
}

function completionOf(job: OneJob, { succeeded, completed, active }: Tally): Verdict | undefined {
  const rule = successOf(job, completed);
  if (rule) return success("SuccessPolicy", rule);
  const { completions } = job.spec ?? {};
  const enough = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions;
  return enough && !job.spec?.suspend
    ? success("CompletionsReached", "Reached expected number of succeeded pods")
    : undefined;
}

/** Pods that restart in place do not fail: their restarts count instead. */
function restartedTooOften(job: OneJob, active: readonly OnePod[], limit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = active
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** When a Job has run for too long, ms since the epoch. */
export function deadlineOf(job: OneJob, { startTime }: Status): number {
  const seconds = job.spec?.activeDeadlineSeconds;
  return seconds === undefined || !startTime ? Number.POSITIVE_INFINITY : Date.parse(startTime) + seconds * 1000;
}
