import { age } from "../../lib/duration.ts";
import { invalidValue } from "../../lib/status.ts";
import { containersColumn, imagesColumn, selectorColumn } from "../apps/workload-columns.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import type { Column } from "../kind.ts";
import { validateCronJob } from "../validation/cron-job.ts";
import { nameWarnings } from "../validation/pod-warnings.ts";
import { jobWarnings } from "./job.ts";

/** https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ */
export type CronJob = Schemas["io.k8s.api.batch.v1.CronJob"];

/** Jobs append a time to it, and must still fit into a label. */
const MAX_NAME = 52;

export const CronJob = defineKind({
  schema: "io.k8s.api.batch.v1.CronJob",
  defaults: {
    "spec.concurrencyPolicy": "Allow",
    "spec.suspend": false,
    "spec.successfulJobsHistoryLimit": 3,
    "spec.failedJobsHistoryLimit": 1,
  },
  default: ({ spec }) => defaultPodTemplate(spec?.jobTemplate?.spec?.template),
  validate: validateCronJob,
  *validateCreate({ metadata }) {
    if ((metadata?.name?.length ?? 0) > MAX_NAME)
      yield invalidValue("metadata.name", metadata.name, `must be no more than ${MAX_NAME} characters`);
  },
  *warnings({ metadata, spec }, old, subresource) {
    if (!old) yield* nameWarnings(metadata?.name, "Pod names and hostnames");
    if (!old || old.metadata?.generation !== metadata?.generation)
      yield* jobWarnings(spec?.jobTemplate?.spec, "spec.jobTemplate.spec");
    if (old && !subresource && spec?.schedule?.includes("TZ"))
      yield "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details";
  },
  columns: [
    nameColumn,
    { name: "Schedule", type: "string", value: ({ spec }) => spec?.schedule ?? "" },
    { name: "Timezone", type: "string", value: ({ spec }) => spec?.timeZone ?? "<none>" },
    { name: "Suspend", type: "boolean", value: ({ spec }) => (spec?.suspend ? "True" : "False") },
    { name: "Active", type: "integer", value: ({ status }) => status?.active?.length ?? 0 },
    {
      name: "Last Schedule",
      type: "string",
      value: ({ status }, now) => (status?.lastScheduleTime ? age(status.lastScheduleTime, now) : "<none>"),
    },
    ageColumn,
    ...[containersColumn, imagesColumn, selectorColumn].map(
      (column): Column<CronJob> => ({
        ...column,
        value: ({ spec }, now) => column.value(spec?.jobTemplate ?? {}, now),
      }),
    ),
  ],
});
