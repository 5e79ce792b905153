import { isTimeZone, scheduleProblem } from "../../lib/cron.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import { validateJobSpec } from "../batch/job.ts";
import type { BatchV1CronJob } from "../generated/types.ts";
import { notNegative, type Problems } from "./fields.ts";

const CONCURRENCY = ["Allow", "Forbid", "Replace"];

export function* validateCronJob({ spec }: BatchV1CronJob): Problems {
  const { schedule = "", timeZone, concurrencyPolicy } = spec ?? {};
  if (!schedule) yield required("spec.schedule");
  else yield* validateSchedule(schedule);
  yield* notNegative("spec.startingDeadlineSeconds", spec?.startingDeadlineSeconds);
  if (timeZone === "") yield invalidValue("spec.timeZone", timeZone, "timeZone must be nil or non-empty string");
  else if (timeZone !== undefined && !isTimeZone(timeZone))
    yield invalidValue("spec.timeZone", timeZone, `unknown time zone ${timeZone}`);
  if (!concurrencyPolicy) yield required("spec.concurrencyPolicy");
  else if (!CONCURRENCY.includes(concurrencyPolicy))
    yield notSupported("spec.concurrencyPolicy", concurrencyPolicy, CONCURRENCY);
  yield* validateJobSpec(spec?.jobTemplate?.spec, "spec.jobTemplate.spec");
  yield* notNegative("spec.successfulJobsHistoryLimit", spec?.successfulJobsHistoryLimit);
  yield* notNegative("spec.failedJobsHistoryLimit", spec?.failedJobsHistoryLimit);
}

function* validateSchedule(schedule: string): Problems {
  if (schedule.includes("TZ")) {
    yield invalidValue("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    return;
  }
  const problem = scheduleProblem(schedule);
  if (problem) yield invalidValue("spec.schedule", schedule, problem);
}
