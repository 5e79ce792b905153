/** What is wrong now: each with its cause in one sentence and the way to mend it. Pure, of what the API tells. */

import { age } from "../duration.ts";
import { controllerOf } from "../object.ts";
import type { Claim, Condition, ContainerStatus, Job, KubeObject, Node, Pod, Workload } from "./objects.ts";

/** What kind of problem it is, as rules of alerts name it: `alerts/rules.ts`. */
export type ProblemRule =
  | "node-offline"
  | "disk-filling"
  | "node-pressure"
  | "pod-unschedulable"
  | "pod-failed"
  | "image-pull"
  | "container-error"
  | "crash-loop"
  | "not-ready"
  | "rollout-stuck"
  | "pods-refused"
  | "volume-lost"
  | "job-failed"
  | "certificate-ends";

export type Problem = {
  /** An error harms what runs; a warning may. */
  severity: "error" | "warning";
  kind: string;
  namespace?: string;
  name: string;
  cause: string;
  remedy: string;
};

/** What an object of the cluster tells. */
export type ObjectProblem = Problem & {
  rule: ProblemRule;
  /** Since when, ms; 0 where the object does not tell. */
  since: number;
};

export type Facts = {
  nodes: readonly Node[];
  pods: readonly Pod[];
  workloads: readonly Workload[];
  claims: readonly Claim[];
};

/** A pod may take so long to be scheduled, or to start, before anybody is told. */
const PATIENCE_MS = 60_000;
const MANY_RESTARTS = 5;

export function problemsOf({ nodes, pods, workloads, claims }: Facts, now: number): ObjectProblem[] {
  const offline = new Set(nodes.filter((node) => !isOnline(node)).map(({ metadata }) => metadata.name));
  const onNode = (name: string) => pods.filter(({ spec }) => spec.nodeName === name).length;
  const found = [
    ...nodes.flatMap((node) => nodeProblems(node, () => onNode(node.metadata.name), now)),
    // Of those on a node that is offline it is told of the node, once.
    ...pods.filter(({ spec }) => !offline.has(spec.nodeName ?? "")).flatMap((pod) => podProblem(pod) ?? []),
    ...workloads.flatMap((workload) => workloadProblem(workload) ?? []),
    ...claims.flatMap((claim) => claimProblem(claim) ?? []),
  ].filter(({ rule, since }) => rule !== "pod-unschedulable" || now - since > PATIENCE_MS);
  return found.toSorted((a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"));
}

const count = (amount: number, one: string): string => `${amount} ${amount === 1 ? one : `${one}s`}`;

const conditionOf = (object: { status: { conditions?: Condition[] } }, type: string) =>
  object.status.conditions?.find((condition) => condition.type === type);

export const isOnline = (node: Node): boolean => conditionOf(node, "Ready")?.status === "True";

const about = (kind: string, { metadata: { namespace, name } }: KubeObject) => ({ kind, namespace, name });

const PRESSURES: Record<string, string> = {
  MemoryPressure: "memory is short, so pods may be evicted",
  DiskPressure: "its disk is nearly full, so images are removed and pods may be evicted",
  PIDPressure: "it has nearly as many processes as it may have",
};

const timeOf = (time: string | undefined): number => (time ? Date.parse(time) : 0);

/** `here`: how many pods are on it. */
export function nodeProblems(node: Node, here: () => number, now: number): ObjectProblem[] {
  const found: ObjectProblem[] = [];
  const ready = conditionOf(node, "Ready");
  const offline = {
    rule: "node-offline",
    severity: "error",
    ...about("Node", node),
    since: timeOf(ready?.lastTransitionTime ?? node.metadata.creationTimestamp),
  } as const;
  if (ready?.status === "Unknown")
    found.push({
      ...offline,
      cause: `Nothing was heard of it for ${age(ready.lastTransitionTime, now)}; ${count(here(), "pod")} ran there.`,
      remedy:
        "See whether the machine is on and reaches the internet; `systemctl status skerry` there tells of the agent.",
    });
  else if (ready?.status !== "True")
    found.push({
      ...offline,
      cause: `It is not ready: ${ready?.message ?? "it has not told of itself yet"}.`,
      remedy: "`skerry doctor` on the machine finds the usual faults.",
    });
  for (const [type, cause] of Object.entries(PRESSURES)) {
    const pressure = conditionOf(node, type);
    if (pressure?.status === "True")
      found.push({
        rule: type === "DiskPressure" ? "disk-filling" : "node-pressure",
        severity: "warning",
        ...about("Node", node),
        since: timeOf(pressure.lastTransitionTime),
        cause: `${type}: ${cause}.`,
        remedy: "Move or end something there, or give the machine more.",
      });
  }
  return found;
}

type Cause = Pick<ObjectProblem, "rule" | "cause" | "remedy">;

/** By the reason that a container waits for. */
const WAITING: readonly [RegExp, (container: ContainerStatus) => Cause][] = [
  [
    /^(ErrImagePull|ImagePullBackOff)$/,
    ({ image, state }) => ({
      rule: "image-pull",
      cause: `The image ${image} cannot be pulled: ${state?.waiting?.message ?? "the registry gave no reason"}.`,
      remedy: "Check its name and tag, and whether it needs an imagePullSecret.",
    }),
  ],
  [
    /^InvalidImageName$/,
    ({ image }) => ({
      rule: "image-pull",
      cause: `${image} is no name of an image.`,
      remedy: "Correct it in the pod's template.",
    }),
  ],
  [
    /^CreateContainer(Config)?Error$/,
    ({ name, state }) => ({
      rule: "container-error",
      cause: `Container ${name} cannot be made: ${state?.waiting?.message ?? "no reason was given"}.`,
      remedy: "A ConfigMap, Secret or key that it names may be missing.",
    }),
  ],
  [
    /^CrashLoopBackOff$/,
    (container) => ({
      rule: "crash-loop",
      cause: `Container ${container.name} ends again and again${endOf(container)}.`,
      remedy: "Its previous log tells why, most likely.",
    }),
  ],
];

function endOf({ lastState, restartCount }: ContainerStatus): string {
  const end = lastState?.terminated;
  const how = end?.reason === "OOMKilled" ? "it wanted more memory than its limit" : end && `exit code ${end.exitCode}`;
  return `: ${count(restartCount, "restart")}${how ? `, last by ${how}` : ""}`;
}

/** Since when it is not ready, ms. */
const unreadySince = (pod: Pod): number => {
  const ready = conditionOf(pod, "Ready");
  return timeOf((ready?.status !== "True" && ready?.lastTransitionTime) || pod.metadata.creationTimestamp);
};

export function podProblem(pod: Pod): ObjectProblem | undefined {
  const subject = about("Pod", pod);
  const { phase } = pod.status;
  const scheduled = conditionOf(pod, "PodScheduled");
  if (phase === "Pending" && scheduled?.status === "False")
    return {
      rule: "pod-unschedulable",
      severity: "error",
      ...subject,
      since: timeOf(pod.metadata.creationTimestamp),
      cause: `No node takes it: ${scheduled.message ?? scheduled.reason ?? "no reason was given"}`,
      remedy: "Free or add a node, or ask for less in the pod's requests, selectors and affinities.",
    };
  if (phase === "Succeeded") return undefined;
  if (phase === "Failed" && !pod.metadata.ownerReferences?.length)
    return {
      rule: "pod-failed",
      severity: "warning",
      ...subject,
      since: unreadySince(pod),
      cause: `It failed: ${pod.status.message ?? pod.status.reason ?? "a container ended with an error"}.`,
      remedy: "Read its log, then delete it.",
    };
  const since = unreadySince(pod);
  for (const container of containersOf(pod)) {
    const reason = container.state?.waiting?.reason ?? "";
    const told = WAITING.find(([pattern]) => pattern.test(reason))?.[1](container);
    if (told) return { severity: "error", ...subject, since, ...told };
    if (container.restartCount >= MANY_RESTARTS && !container.ready)
      return {
        rule: "not-ready",
        severity: "warning",
        ...subject,
        since,
        cause: `Container ${container.name} is not ready${endOf(container)}.`,
        remedy: "Its previous log and its events tell why, most likely.",
      };
  }
  return undefined;
}

export const containersOf = ({ status }: Pod): ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
];

export function workloadProblem(workload: Workload): ObjectProblem | undefined {
  const progressing = conditionOf(workload, "Progressing");
  const subject = { severity: "error", ...about(workload.kind ?? "Deployment", workload) } as const;
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return {
      rule: "rollout-stuck",
      ...subject,
      since: timeOf(progressing.lastTransitionTime),
      cause: "Its rollout stands still: the new pods do not become ready.",
      remedy: "See what is wrong with its newest pods, or undo the rollout.",
    };
  const failure = conditionOf(workload, "ReplicaFailure");
  if (failure?.status !== "True") return undefined;
  return {
    rule: "pods-refused",
    ...subject,
    since: timeOf(failure.lastTransitionTime),
    cause: `Its pods cannot be made: ${failure.message ?? failure.reason}.`,
    remedy: "A quota, a limit range or an admission policy of the namespace is in the way.",
  };
}

export function claimProblem(claim: Claim): ObjectProblem | undefined {
  if (claim.status.phase !== "Lost") return undefined;
  return {
    rule: "volume-lost",
    severity: "error",
    ...about("PersistentVolumeClaim", claim),
    since: 0,
    cause: "The volume that it had is gone.",
    remedy: "Restore a backup with `skerry volume restore`, or delete the claim and make a new one.",
  };
}

/** Whoever makes an object may name any owner; this is one that there can be. */
export const isObjectName = (name: string): boolean => /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name);

/** The CronJob that made it. */
export function cronJobOf({ metadata }: { metadata?: Partial<KubeObject["metadata"]> }): string | undefined {
  const owner = controllerOf({ metadata });
  return owner?.kind === "CronJob" && isObjectName(owner.name) ? owner.name : undefined;
}

/** Of a CronJob's it is told by that, which has more of them. */
export function jobProblem(job: Job): ObjectProblem | undefined {
  const failed = conditionOf(job, "Failed");
  if (failed?.status !== "True") return undefined;
  const { name, namespace } = job.metadata;
  const cron = cronJobOf(job);
  return {
    rule: "job-failed",
    severity: "warning",
    ...(cron ? { kind: "CronJob", namespace, name: cron } : about("Job", job)),
    since: timeOf(failed.lastTransitionTime),
    cause: `${cron ? `Its last run, ${name},` : "It"} failed: ${failed.message ?? failed.reason ?? "no reason was given"}.`,
    remedy: "Read the log of its pods; delete it when it is of no more interest.",
  };
}
