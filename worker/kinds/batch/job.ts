import { humanDuration } from "../../lib/duration.ts";
import { dnsLabelProblems } from "../../lib/names.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import { containersColumn, imagesColumn, selectorColumn } from "../apps/workload-columns.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-defaults.ts";
import { defineKind } from "../define-kind.ts";
import type { BatchV1JobSpec, Schemas } from "../generated/types.ts";
import { notNegative, type Problems } from "../validation/fields.ts";
import {
  validateFailurePolicy,
  validateIndexes,
  validateJobUpdate,
  validateReplacement,
  validateSuccessPolicy,
} from "../validation/job.ts";
import { validateJobStatus } from "../validation/job-status.ts";
import { validateLabelSelector } from "../validation/label-selector.ts";
import { validatePodTemplate } from "../validation/pod-spec.ts";
import { nameWarnings, podWarnings } from "../validation/pod-warnings.ts";
import { matchesTemplate, selectsOthers } from "../validation/workloads.ts";

const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";
const JOB_NAME = "batch.kubernetes.io/job-name";

/** Jobs that came without labels: they have those of their pods, also what is added to them. */
const sharing = new WeakSet<object>();

const MAX_INT32 = 2 ** 31 - 1;

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
export type Job = Schemas["io.k8s.api.batch.v1.Job"];
export const Job = defineKind({
  schema: "io.k8s.api.batch.v1.Job",
  defaults: {
    "spec.completionMode": "NonIndexed",
    "spec.suspend": false,
    "spec.manualSelector": false,
  },
  default(job) {
    const { spec } = job;
    if (!spec) return;
    defaultPodTemplate(spec.template);
    // A job that names neither is a single run; one that names only its width is done when any one says so.
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    // Where each index has a limit of its own, all together have none.
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
    for (const rule of spec.podFailurePolicy?.rules ?? [])
      for (const pattern of rule.onPodConditions ?? []) pattern.status ??= "True";
    const labels = spec.template?.metadata?.labels;
    if (Object.keys(job.metadata.labels ?? {}).length) return;
    sharing.add(job);
    if (labels) job.metadata.labels = { ...labels };
  },
  prepareForCreate(job) {
    const { metadata, spec } = job;
    if (!spec || spec.manualSelector) return;
    const uid = metadata.uid ?? "";
    const name = metadata.name ?? "";
    const marks = { "controller-uid": uid, [CONTROLLER_UID]: uid, "job-name": name, [JOB_NAME]: name };
    const template = spec.template ?? {};
    spec.template = {
      ...template,
      metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...marks } },
    };
    if (sharing.has(job)) metadata.labels = { ...metadata.labels, ...marks };
    spec.selector = { matchLabels: { [CONTROLLER_UID]: uid } };
  },
  *validate({ metadata, spec }) {
    yield* validateJobSpec(spec, "spec");
    if (!spec?.selector) yield required("spec.selector");
    yield* validateLabelSelector(spec?.selector, "spec.selector");
    if (!spec?.selector || !matchesTemplate(spec.selector, spec.template)) yield selectsOthers(spec?.template);
    const { completionMode, completions = 0 } = spec ?? {};
    const hostname = `${metadata?.name ?? ""}-${completions - 1}`;
    if (completionMode === "Indexed" && completions > 0 && dnsLabelProblems(hostname).length)
      yield invalidValue(
        "metadata.name",
        metadata?.name ?? "",
        `will not able to create pod with invalid DNS label: ${hostname}`,
      );
  },
  judgedTwice: true,
  validateUpdate: (job, old, subresource) => (subresource ? validateJobStatus : validateJobUpdate)(job, old),
  *warnings({ metadata, spec }, old) {
    if (!old) yield* nameWarnings(metadata?.name, "Pod names and hostnames");
    if (!old || old.metadata?.generation !== metadata?.generation) yield* jobWarnings(spec, "spec");
  },
  columns: [
    nameColumn,
    { name: "Status", type: "string", value: statusWord },
    { name: "Completions", type: "string", value: completions },
    { name: "Duration", type: "string", value: duration },
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
});

type JobLike = Schemas["io.k8s.api.batch.v1.Job"];

const is = (job: JobLike, type: string): boolean =>
  job.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

function statusWord(job: JobLike): string {
  if (is(job, "Complete")) return "Complete";
  if (is(job, "Failed")) return "Failed";
  if (job.metadata.deletionTimestamp) return "Terminating";
  if (is(job, "Suspended")) return "Suspended";
  if (is(job, "FailureTarget")) return "FailureTarget";
  if (is(job, "SuccessCriteriaMet")) return "SuccessCriteriaMet";
  return "Running";
}

function completions({ spec, status }: JobLike): string {
  const done = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
  return (spec?.parallelism ?? 1) > 1 ? `${done}/1 of ${spec?.parallelism}` : `${done}/1`;
}

function duration({ status }: JobLike, now: number): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

const MANY_COMPLETIONS = 100_000;
const MANY_AT_ONCE = 10_000;

export function* jobWarnings(spec: BatchV1JobSpec | undefined, field: string): Iterable<string> {
  const { completionMode, completions = 0, parallelism = 0 } = spec ?? {};
  if (completionMode === "Indexed" && completions > MANY_COMPLETIONS && parallelism > MANY_AT_ONCE)
    yield `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`;
  yield* podWarnings(spec?.template, `${field}.template.`);
}

/** `field` is where the spec stands: a CronJob has one further down. */
export function* validateJobSpec(spec: BatchV1JobSpec | undefined, field: string): Problems {
  yield* notNegative(`${field}.parallelism`, spec?.parallelism);
  yield* notNegative(`${field}.completions`, spec?.completions);
  yield* notNegative(`${field}.activeDeadlineSeconds`, spec?.activeDeadlineSeconds);
  yield* notNegative(`${field}.backoffLimit`, spec?.backoffLimit);
  yield* notNegative(`${field}.ttlSecondsAfterFinished`, spec?.ttlSecondsAfterFinished);
  yield* validateIndexes(spec, field);
  yield* validateFailurePolicy(spec, field);
  yield* validateSuccessPolicy(spec, `${field}.successPolicy`);
  yield* validateReplacement(spec, `${field}.podReplacementPolicy`);
  yield* validatePodTemplate(spec?.template, `${field}.template`);
  const policy = spec?.template?.spec?.restartPolicy;
  // Always is what a template gets that names none.
  if (policy === "Always" || policy === undefined)
    yield required(`${field}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"');
  else if (policy !== "OnFailure" && policy !== "Never")
    yield notSupported(`${field}.template.spec.restartPolicy`, policy, ["OnFailure", "Never"]);
  else if (spec?.podFailurePolicy && policy !== "Never")
    yield invalidValue(
      `${field}.template.spec.restartPolicy`,
      policy,
      'only "Never" is supported when podFailurePolicy is specified',
    );
}
