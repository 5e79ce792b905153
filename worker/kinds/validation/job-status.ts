import { duplicate, type FieldError, invalidValue, required } from "../../lib/status.ts";
import type { BatchV1Job, BatchV1JobStatus } from "../generated/types.ts";
import { same } from "../paths.ts";
import { notNegative, type Problems } from "./fields.ts";
import { indexesProblem, overlapProblem } from "./job-indexes.ts";

/**
 * What other controllers than ours (`spec.managedBy`) may say of a Job: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 * Only what the update changes is checked, for a spec just changed may not fit the status yet.
 */
export function* validateJobStatus(job: BatchV1Job, old: BatchV1Job): Problems {
  yield* counts(job.status ?? {});
  yield* uncounted(job.status?.uncountedTerminatedPods);
  yield* outcome(job, old);
  yield* finishedWithPods(job, old);
  yield* indexes(job, old);
  yield* readiness(job, old);
  yield* criteria(job);
  yield* transitions(job, old);
}

const has = (job: BatchV1Job, type: string, status = "True"): boolean =>
  job.status?.conditions?.some((condition) => condition.type === type && condition.status === status) ?? false;
const finished = (job: BatchV1Job): boolean => has(job, "Complete") || has(job, "Failed");
const conditions = (message: string): FieldError => ({
  field: "status.conditions",
  reason: "FieldValueInvalid",
  message: `Invalid value: ${message}`,
});

/** Whether any of the status's fields differs. */
const differs = (job: BatchV1Job, old: BatchV1Job, ...names: (keyof BatchV1JobStatus)[]): boolean =>
  names.some((name) => !same(job.status?.[name] ?? null, old.status?.[name] ?? null));
const turned = (job: BatchV1Job, old: BatchV1Job, ...types: string[]): boolean =>
  types.some((type) => has(job, type) !== has(old, type));

function* counts(status: BatchV1JobStatus): Problems {
  for (const name of ["active", "succeeded", "failed", "ready", "terminating"] as const)
    yield* notNegative(`status.${name}`, status[name]);
}

function* uncounted(pods: BatchV1JobStatus["uncountedTerminatedPods"]): Problems {
  const seen = new Set<string>();
  for (const outcome of ["succeeded", "failed"] as const)
    for (const [index, uid] of (pods?.[outcome] ?? []).entries()) {
      const field = `status.uncountedTerminatedPods.${outcome}[${index}]`;
      if (!uid) yield invalidValue(field, uid, "must not be empty");
      else if (seen.has(uid)) yield duplicate(field, uid);
      seen.add(uid);
    }
}

function* outcome(job: BatchV1Job, old: BatchV1Job): Problems {
  const { startTime, completionTime } = job.status ?? {};
  const complete = has(job, "Complete");
  if (turned(job, old, "Complete", "Failed") && complete && has(job, "Failed"))
    yield conditions("cannot set Complete=True and Failed=true conditions");
  if (turned(job, old, "Complete", "FailureTarget") && complete && has(job, "FailureTarget"))
    yield conditions("cannot set Complete=True and FailureTarget=true conditions");
  if (turned(job, old, "Complete") || differs(job, old, "completionTime")) {
    const field = "status.completionTime";
    if (completionTime && !complete)
      yield invalidValue(field, completionTime, "cannot set completionTime when there is no Complete=True condition");
    if (!completionTime && complete) yield required(field, "completionTime is required for Complete jobs");
  }
  if (differs(job, old, "startTime", "completionTime") && startTime && completionTime && completionTime < startTime)
    yield invalidValue("status.completionTime", completionTime, "must be equal to or after `startTime`");
  if ((turned(job, old, "Failed") || differs(job, old, "failedIndexes")) && has(job, "Failed"))
    if (!has(job, "FailureTarget"))
      yield conditions("cannot set Failed=True condition without the FailureTarget=true condition");
  if (turned(job, old, "Complete", "SuccessCriteriaMet") && complete && !has(job, "SuccessCriteriaMet"))
    yield conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
}

function* finishedWithPods(job: BatchV1Job, old: BatchV1Job): Problems {
  if (!finished(job)) return;
  const { active = 0, startTime, uncountedTerminatedPods: pods } = job.status ?? {};
  const ended = !finished(old);
  const neverRan = job.spec?.suspend === true && job.spec.completions === 0;
  if ((ended || differs(job, old, "active")) && active > 0)
    yield invalidValue("status.active", active, "active>0 is invalid for finished job");
  if ((ended || differs(job, old, "startTime")) && !neverRan && !startTime)
    yield required("status.startTime", "startTime is required for finished job");
  if ((ended || differs(job, old, "uncountedTerminatedPods")) && (pods?.failed?.length || pods?.succeeded?.length))
    yield invalidValue("status.uncountedTerminatedPods", pods, "must be empty for finished job");
}

function* indexes(job: BatchV1Job, old: BatchV1Job): Problems {
  const { completions, completionMode, backoffLimitPerIndex } = job.spec ?? {};
  const { completedIndexes = "", failedIndexes } = job.status ?? {};
  const [completed, failed] = [differs(job, old, "completedIndexes"), differs(job, old, "failedIndexes")];
  const [completedField, failedField] = ["status.completedIndexes", "status.failedIndexes"];
  if (completed && completions !== undefined) {
    const problem = indexesProblem(completedIndexes, completions);
    if (problem) yield invalidValue(completedField, completedIndexes, `error parsing completedIndexes: ${problem}`);
  }
  if (failed && completions !== undefined && backoffLimitPerIndex !== undefined && failedIndexes !== undefined) {
    const problem = indexesProblem(failedIndexes, completions);
    if (problem) yield invalidValue(failedField, failedIndexes, `error parsing failedIndexes: ${problem}`);
  }
  if (completed && completedIndexes && completionMode !== "Indexed")
    yield invalidValue(
      completedField,
      completedIndexes,
      "cannot set non-empty completedIndexes when non-indexed completion mode",
    );
  if (failedIndexes === undefined) return;
  if (failed && backoffLimitPerIndex === undefined)
    yield invalidValue(
      failedField,
      failedIndexes,
      "cannot set non-null failedIndexes when backoffLimitPerIndex is null",
    );
  if (!(failed || completed) || completions === undefined) return;
  const overlap = overlapProblem(completedIndexes, failedIndexes, completions);
  if (overlap) yield invalidValue(failedField, failedIndexes, overlap);
}

function* readiness(job: BatchV1Job, old: BatchV1Job): Problems {
  const { active = 0, ready, terminating = 0 } = job.status ?? {};
  const ended = finished(job) && !finished(old);
  if ((ended || differs(job, old, "terminating")) && terminating > 0 && finished(job))
    yield invalidValue("status.terminating", terminating, "terminating>0 is invalid for finished job");
  if (differs(job, old, "ready", "active") && ready !== undefined && ready > active)
    yield invalidValue("status.ready", ready, "cannot set more ready pods than active");
}

function* criteria(job: BatchV1Job): Problems {
  const met = has(job, "SuccessCriteriaMet");
  if (met && has(job, "Failed")) yield conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions");
  if (met && has(job, "FailureTarget"))
    yield conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  if (job.spec?.successPolicy && !met && has(job, "Complete"))
    yield conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
}

/** What is once said of a Job stays said. */
function* transitions(job: BatchV1Job, old: BatchV1Job): Problems {
  const [status, before] = [job.status ?? {}, old.status ?? {}];
  const { completionMode, completions, parallelism, suspend } = job.spec ?? {};
  for (const type of ["Failed", "Complete", "FailureTarget"])
    if (has(old, type) && !has(job, type)) yield conditions(`cannot disable the terminal ${type}=True condition`);
  if ((status.failed ?? 0) < (before.failed ?? 0))
    yield invalidValue("status.failed", status.failed ?? 0, "cannot decrease the failed counter");
  const elastic = completionMode === "Indexed" && completions === parallelism;
  if (!elastic && (status.succeeded ?? 0) < (before.succeeded ?? 0))
    yield invalidValue("status.succeeded", status.succeeded ?? 0, "cannot decrease the succeeded counter");
  if (status.completionTime && before.completionTime && differs(job, old, "completionTime"))
    yield invalidValue("status.completionTime", status.completionTime, "field is immutable");
  const resuming = has(old, "Suspended") && has(job, "Suspended", "False");
  if (before.startTime && differs(job, old, "startTime") && !resuming && !suspend)
    yield required("status.startTime", "startTime cannot be removed for unsuspended job");
  const met = has(job, "SuccessCriteriaMet");
  if (has(old, "SuccessCriteriaMet") && !met) yield conditions("cannot disable the SuccessCriteriaMet=True condition");
  if (has(old, "Complete") && !has(old, "SuccessCriteriaMet") && met)
    yield conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
}
