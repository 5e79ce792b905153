import { CronJob } from "../../kinds/batch/cron-job.ts";
import { Job } from "../../kinds/batch/job.ts";
import { same } from "../../kinds/paths.ts";
import { timestamp } from "../../lib/effects.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Intent } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { isFinished } from "../job/tally.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import { controllerOf, controllerRef, keysOfOwners } from "../owners.ts";
import { removal } from "../removal.ts";
import { nextTime, parseSchedule, type Schedule } from "./schedule.ts";

const SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** Runs missed at once after which a user is told. */
const MANY_MISSED = 100;

type Cron = Readonly<CronJob>;
type OneJob = Readonly<Job>;
type Status = NonNullable<CronJob["status"]>;

/**
 * Makes a Job whenever a schedule comes round.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
export const cronJobController: Controller = {
  name: "cronjob-controller",
  watches: [watch(CronJob, ownKey), watch(Job, (job, old, view) => keysOfOwners(CronJob, job, old, view, () => false))],
  reconcile(view, key, { now }) {
    const cron = view.get(CronJob, ...splitKey(key));
    if (!cron || cron.metadata.deletionTimestamp) return [];
    const uid = cron.metadata.uid ?? "";
    const jobs = view.owned(Job, uid).filter((job) => controllerOf(job)?.uid === uid);
    const { status, events } = observe(cron, jobs);
    const schedule = parseSchedule(cron.spec.schedule);
    const run = cron.spec.suspend ? [] : runDue(cron, jobs, schedule, status, now);
    const intents = [...run, ...events, ...forget(cron, jobs)];
    if (!same(status, cron.status ?? {}))
      intents.push({ do: "updateStatus", kind: CronJob, object: { ...cron, status } as CronJob });
    const next = cron.spec.suspend ? undefined : nextTime(schedule, now, cron.spec.timeZone);
    if (next !== undefined) intents.push({ do: "again", afterMs: next - now });
    return intents;
  },
};

const endOf = (job: OneJob) =>
  ["Complete", "Failed"].map((type) => conditionOf(job.status?.conditions, type)).find((c) => c?.status === "True");

/** One that is on its way out runs until it is gone, but for those that others have replaced. */
const isRunning = (cron: Cron, job: OneJob): boolean =>
  !isFinished(job) && (!job.metadata.deletionTimestamp || cron.spec.concurrencyPolicy !== "Replace");

/** Who runs, and who has ended or gone since the last look. */
function observe(cron: Cron, jobs: readonly OneJob[]): { status: Status; events: Intent[] } {
  const before = cron.status?.active ?? [];
  const ended = jobs.filter((job) => isFinished(job) && before.some(({ uid }) => uid === job.metadata.uid));
  const gone = before.filter(({ uid }) => !jobs.some(({ metadata }) => metadata.uid === uid));
  const running = jobs.filter((job) => isRunning(cron, job));
  const successes = jobs.map((job) => (endOf(job)?.type === "Complete" ? (job.status?.completionTime ?? "") : ""));
  const last = [cron.status?.lastSuccessfulTime ?? "", ...successes].sort().at(-1);
  const { active: _, lastSuccessfulTime: __, ...rest } = cron.status ?? {};
  return {
    status: {
      ...rest,
      ...(running.length > 0 && { active: running.map(referTo) }),
      ...(last && { lastSuccessfulTime: last }),
    },
    events: [
      ...ended.map((job) =>
        normal(cron, "SawCompletedJob", `Saw completed job: ${job.metadata.name}, condition: ${endOf(job)?.type}`),
      ),
      ...gone.map(({ name }) => normal(cron, "MissingJob", `Active job went missing: ${name}`)),
    ],
  };
}

const referTo = ({ metadata: { namespace, name, uid, resourceVersion } }: OneJob) => ({
  apiVersion: Job.apiVersion,
  kind: Job.kind,
  namespace,
  name,
  uid,
  resourceVersion,
});

/** The latest time that came and was not served yet, and how many came. Status.lastScheduleTime moves with it. */
function lastMissed(cron: Cron, schedule: Schedule, now: number): { at: number; count: number } | undefined {
  const { startingDeadlineSeconds, timeZone } = cron.spec;
  const since = Date.parse(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp ?? "");
  let from = startingDeadlineSeconds === undefined ? since : Math.max(since, now - startingDeadlineSeconds * 1000);
  let missed: { at: number; count: number } | undefined;
  for (;;) {
    const at = nextTime(schedule, from, timeZone);
    if (at === undefined || at > now) return missed;
    missed = { at, count: (missed?.count ?? 0) + 1 };
    // After a long sleep only the last one matters: most of what was missed is jumped over.
    from = missed.count === MANY_MISSED ? Math.max(at, now - 2 * (at - since)) : at;
  }
}

function runDue(cron: Cron, jobs: readonly OneJob[], schedule: Schedule, status: Status, now: number): Intent[] {
  const missed = lastMissed(cron, schedule, now);
  if (!missed) return [];
  const intents: Intent[] = [];
  if (missed.count > MANY_MISSED)
    intents.push(warning(cron, "TooManyMissedTimes", `too many missed start times: ${missed.count}`));
  const running = jobs.filter((job) => isRunning(cron, job));
  if (running.length > 0 && cron.spec.concurrencyPolicy === "Forbid") {
    intents.push(
      normal(
        cron,
        "JobAlreadyActive",
        "Not starting job because prior execution is running and concurrency policy is Forbid",
      ),
    );
    return intents;
  }
  if (cron.spec.concurrencyPolicy === "Replace") {
    intents.push(...running.flatMap((job) => dismissal(cron, job)));
    delete status.active; // or they would be missed
  }
  const job = jobOf(cron, missed.at);
  status.lastScheduleTime = timestamp(missed.at);
  if (jobs.some(({ metadata }) => metadata.name === job.metadata.name)) return intents;
  return [
    ...intents,
    { do: "create", kind: Job, object: job },
    normal(cron, "SuccessfulCreate", `Created job ${job.metadata.name}`),
  ];
}

function jobOf(cron: Cron, at: number): Job {
  const { metadata, spec } = cron.spec.jobTemplate;
  return {
    apiVersion: Job.apiVersion,
    kind: Job.kind,
    metadata: {
      name: `${cron.metadata.name}-${Math.floor(at / 60_000)}`,
      namespace: cron.metadata.namespace,
      ...(metadata?.labels && { labels: { ...metadata.labels } }),
      annotations: { ...metadata?.annotations, [SCHEDULED]: timestamp(at) },
      ownerReferences: [controllerRef(CronJob, cron)],
    },
    spec: structuredClone(spec ?? { template: {} }),
  };
}

function dismissal(cron: Cron, job: OneJob): Intent[] {
  return [
    removal(Job, job, { propagationPolicy: "Background" }),
    normal(cron, "SuccessfulDelete", `Deleted job ${job.metadata.name}`),
  ];
}

/** Keeps the newest few of the finished Jobs of either outcome. */
function forget(cron: Cron, jobs: readonly OneJob[]): Intent[] {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec;
  const limits = { Complete: successfulJobsHistoryLimit, Failed: failedJobsHistoryLimit };
  return Object.entries(limits).flatMap(([type, limit]) => {
    const ended = jobs.filter((job) => endOf(job)?.type === type && !job.metadata.deletionTimestamp);
    const started = (job: OneJob) => Date.parse(job.status?.startTime ?? job.metadata.creationTimestamp ?? "") || 0;
    const oldestFirst = ended.toSorted((a, b) => started(a) - started(b));
    return oldestFirst.slice(0, Math.max(0, ended.length - limit)).flatMap((job) => dismissal(cron, job));
  });
}
