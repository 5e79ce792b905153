import { Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { CoreV1Container } from "../../kinds/generated/types.ts";
import type { Intent } from "../controller.ts";
import { normal } from "../events.ts";
import { generatedName } from "../names.ts";
import { controllerRef } from "../owners.ts";
import { removal } from "../removal.ts";
import { INDEX } from "./indexes.ts";

/** How often pods of its index have failed before this one: those that count, and those that a policy ignores. */
const FAILURES = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";

/** Holds a finished pod until it is counted. https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers */
const TRACKING = "batch.kubernetes.io/job-tracking";

export const isTracked = ({ metadata }: Readonly<Pod>): boolean => metadata.finalizers?.includes(TRACKING) ?? false;

export function untracked(pod: Readonly<Pod>): Intent & { do: "update" } {
  const finalizers = pod.metadata.finalizers?.filter((finalizer) => finalizer !== TRACKING);
  return { do: "update", kind: Pod, object: { ...pod, metadata: { ...pod.metadata, finalizers } } as Pod };
}

/** A pod that is not needed is let go of first, so that its end does not count as a failure. */
export function dismissal(job: Readonly<Job>, pod: Readonly<Pod>): Intent[] {
  return [
    ...(isTracked(pod) ? [untracked(pod)] : []),
    removal(Pod, pod),
    normal(job, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`),
  ];
}

export function failuresOf({ metadata }: Readonly<Pod>): { counted: number; all: number } {
  const read = (name: string) => Number(metadata.annotations?.[name] ?? 0) || 0;
  return { counted: read(FAILURES), all: read(FAILURES) + read(IGNORED_FAILURES) };
}

/** The annotations of the next pod of an index, where each index has a limit of failures. */
export function failureMarks(before: Readonly<Pod> | undefined, counts: boolean): Record<string, string> {
  if (!before) return { [FAILURES]: "0" };
  const { counted, all } = failuresOf(before);
  const ignored = all - counted + (counts ? 0 : 1);
  return {
    [FAILURES]: String(counted + (counts ? 1 : 0)),
    ...(ignored > 0 && { [IGNORED_FAILURES]: String(ignored) }),
  };
}

export function creation(
  job: Readonly<Job>,
  index: number | undefined,
  random: () => number,
  marks: Record<string, string> = {},
): Intent[] {
  const base = index === undefined ? `${job.metadata.name}-` : `${job.metadata.name}-${index}-`;
  const name = generatedName(base, random);
  const { metadata = {}, spec } = job.spec?.template ?? {};
  const mark = index === undefined ? undefined : { [INDEX]: String(index) };
  const object: Pod = {
    apiVersion: Pod.apiVersion,
    kind: Pod.kind,
    metadata: {
      name,
      generateName: base,
      namespace: job.metadata.namespace,
      labels: { ...metadata.labels, ...mark },
      ...((metadata.annotations || mark) && { annotations: { ...metadata.annotations, ...mark, ...marks } }),
      finalizers: [...(metadata.finalizers ?? []), TRACKING],
      ownerReferences: [controllerRef(Job, job)],
    },
    spec: structuredClone(spec ?? { containers: [] }),
  };
  if (index !== undefined) tellIndex(object, `${job.metadata.name}-${index}`);
  return [{ do: "create", kind: Pod, object }, normal(job, "SuccessfulCreate", `Created pod: ${name}`)];
}

function tellIndex({ spec }: Pod, hostname: string): void {
  spec.hostname ??= hostname;
  const name = "JOB_COMPLETION_INDEX";
  const fieldPath = `metadata.labels['${INDEX}']`;
  const tell = (container: CoreV1Container): CoreV1Container =>
    container.env?.some((variable) => variable.name === name)
      ? container
      : { ...container, env: [...(container.env ?? []), { name, valueFrom: { fieldRef: { fieldPath } } }] };
  spec.containers = spec.containers.map(tell);
  if (spec.initContainers) spec.initContainers = spec.initContainers.map(tell);
}
