/** StatefulSets, Jobs and CronJobs: what must come before what, and how many at once. */
import type { AppsV1StatefulSet, BatchV1CronJob, BatchV1Job } from "../../../worker/kinds/generated/types.ts";
import { controllerOf, describe, type History, type Step } from "./history.ts";
import { activePodsOf, isPodReady, type Pod, podsOf } from "./pods.ts";
import type { Rule } from "./rule.ts";

/** The live controller of one resource that a new object was made for. */
function makerOf<T extends object>(
  history: History,
  step: Step,
  resource: string,
): (Readonly<T> & { metadata?: { uid?: string } }) | undefined {
  const owner = step.type === "ADDED" ? controllerOf(step.object) : undefined;
  const entry = owner && history.byUid(owner.uid);
  return entry?.resource === resource ? (entry.object as Readonly<T>) : undefined;
}

const ordinalOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1] ?? Number.NaN);

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees */
export const identitiesInOrder: Rule = {
  rule: "identities-come-in-order",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "pods") return;
      const set = makerOf<AppsV1StatefulSet>(history, step, "statefulsets.apps");
      if (!set || set.spec?.podManagementPolicy === "Parallel") return;
      const ordinal = ordinalOf(step.name);
      const first = set.spec?.ordinals?.start ?? 0;
      for (let lower = first; lower < ordinal; lower++) {
        const entry = history.get<Pod>("pods", step.namespace, `${set.metadata?.name}-${lower}`);
        if (!entry || !isPodReady(entry.object) || entry.object.metadata.deletionTimestamp)
          fail(`${describe(step)} was made at ${step.revision} before ${lower} was there and ready`);
      }
      if (ordinal >= first + (set.spec?.replicas ?? 1))
        fail(`${describe(step)} was made beyond ${set.spec?.replicas} replicas`);
    },
  }),
};

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#controlling-parallelism */
export const jobsKeepBounds: Rule = {
  rule: "jobs-keep-their-bounds",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "pods") return;
      const job = makerOf<BatchV1Job>(history, step, "jobs.batch");
      if (!job) return;
      const { parallelism = 1, completions, suspend } = job.spec ?? {};
      const active = activePodsOf(history, job.metadata?.uid ?? "").length;
      if (suspend) fail(`${describe(step)} was made for a Job that is suspended`);
      if (active > parallelism) fail(`${describe(step)} is one of ${active} at once, ${parallelism} may be`);
      const done = podsOf(history, job.metadata?.uid ?? "").filter(({ object }) => isCounted(object)).length;
      if (completions !== undefined && active + done > completions)
        fail(`${describe(step)} was made when ${done} of ${completions} are done and ${active} are at work`);
    },
  }),
};

/** One that was being deleted when it ended well counts as a failure already. */
const isCounted = (pod: Pod): boolean => pod.status?.phase === "Succeeded" && !pod.metadata.deletionTimestamp;

/** https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy */
export const cronJobsForbid: Rule = {
  rule: "cron-jobs-keep-apart",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "jobs.batch") return;
      const cron = makerOf<BatchV1CronJob>(history, step, "cronjobs.batch");
      if (cron?.spec?.concurrencyPolicy !== "Forbid") return;
      for (const { object, name } of history.controlled<BatchV1Job>("jobs.batch", cron.metadata?.uid ?? "")) {
        const isOver = object.status?.conditions?.some(
          ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
        );
        if (name !== step.name && !isOver && !object.metadata?.deletionTimestamp)
          fail(`${describe(step)} was made while ${name} runs`);
      }
    },
  }),
};
