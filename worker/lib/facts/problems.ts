/** What is wrong now: each with its cause in one sentence and the way to mend it. Pure, of what the API tells. */

import { age } from "../duration.ts";
import type { Claim, Condition, ContainerStatus, KubeObject, Node, Pod, Workload } from "./objects.ts";

export type Problem = {
  /** An error harms what runs; a warning may. */
  severity: "error" | "warning";
  kind: string;
  namespace?: string;
  name: string;
  cause: string;
  remedy: string;
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

export function problemsOf({ nodes, pods, workloads, claims }: Facts, now: number): Problem[] {
  const offline = new Set(nodes.filter((node) => !isOnline(node)).map(({ metadata }) => metadata.name));
  const found = [
    ...nodes.flatMap((node) => nodeProblems(node, pods, now)),
    ...pods.flatMap((pod) => podProblems(pod, offline, now)),
    ...workloads.flatMap(workloadProblems),
    ...claims.flatMap(claimProblems),
  ];
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

function nodeProblems(node: Node, pods: readonly Pod[], now: number): Problem[] {
  const found: Problem[] = [];
  const ready = conditionOf(node, "Ready");
  const here = pods.filter(({ spec }) => spec.nodeName === node.metadata.name).length;
  if (ready?.status === "Unknown")
    found.push({
      severity: "error",
      ...about("Node", node),
      cause: `Nothing was heard of it for ${age(ready.lastTransitionTime, now)}; ${count(here, "pod")} ran there.`,
      remedy:
        "See whether the machine is on and reaches the internet; `systemctl status skerry` there tells of the agent.",
    });
  else if (ready?.status !== "True")
    found.push({
      severity: "error",
      ...about("Node", node),
      cause: `It is not ready: ${ready?.message ?? "it has not told of itself yet"}.`,
      remedy: "`skerry doctor` on the machine finds the usual faults.",
    });
  for (const [type, cause] of Object.entries(PRESSURES))
    if (conditionOf(node, type)?.status === "True")
      found.push({
        severity: "warning",
        ...about("Node", node),
        cause: `${type}: ${cause}.`,
        remedy: "Move or end something there, or give the machine more.",
      });
  return found;
}

type Cause = Pick<Problem, "cause" | "remedy">;

/** By the reason that a container waits for. */
const WAITING: readonly [RegExp, (container: ContainerStatus) => Cause][] = [
  [
    /^(ErrImagePull|ImagePullBackOff)$/,
    ({ image, state }) => ({
      cause: `The image ${image} cannot be pulled: ${state?.waiting?.message ?? "the registry gave no reason"}.`,
      remedy: "Check its name and tag, and whether it needs an imagePullSecret.",
    }),
  ],
  [
    /^InvalidImageName$/,
    ({ image }) => ({ cause: `${image} is no name of an image.`, remedy: "Correct it in the pod's template." }),
  ],
  [
    /^CreateContainer(Config)?Error$/,
    ({ name, state }) => ({
      cause: `Container ${name} cannot be made: ${state?.waiting?.message ?? "no reason was given"}.`,
      remedy: "A ConfigMap, Secret or key that it names may be missing.",
    }),
  ],
  [
    /^CrashLoopBackOff$/,
    (container) => ({
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

function podProblems(pod: Pod, offline: ReadonlySet<string>, now: number): Problem[] {
  const subject = about("Pod", pod);
  const { phase, conditions } = pod.status;
  if (pod.spec.nodeName && offline.has(pod.spec.nodeName)) return []; // told of the node, once
  const scheduled = conditions?.find(({ type }) => type === "PodScheduled");
  const waits = now - Date.parse(pod.metadata.creationTimestamp) > PATIENCE_MS;
  if (phase === "Pending" && scheduled?.status === "False" && waits)
    return [
      {
        severity: "error",
        ...subject,
        cause: `No node takes it: ${scheduled.message ?? scheduled.reason ?? "no reason was given"}`,
        remedy: "Free or add a node, or ask for less in the pod's requests, selectors and affinities.",
      },
    ];
  if (phase === "Succeeded") return [];
  if (phase === "Failed" && !pod.metadata.ownerReferences?.length)
    return [
      {
        severity: "warning",
        ...subject,
        cause: `It failed: ${pod.status.message ?? pod.status.reason ?? "a container ended with an error"}.`,
        remedy: "Read its log, then delete it.",
      },
    ];
  const containers = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  for (const container of containers) {
    const reason = container.state?.waiting?.reason ?? "";
    const told = WAITING.find(([pattern]) => pattern.test(reason))?.[1](container);
    if (told) return [{ severity: "error", ...subject, ...told }];
    if (container.restartCount >= MANY_RESTARTS && !container.ready)
      return [
        {
          severity: "warning",
          ...subject,
          cause: `Container ${container.name} is not ready${endOf(container)}.`,
          remedy: "Its previous log and its events tell why, most likely.",
        },
      ];
  }
  return [];
}

function workloadProblems(workload: Workload): Problem[] {
  const progressing = conditionOf(workload, "Progressing");
  const subject = about(workload.kind ?? "Deployment", workload);
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return [
      {
        severity: "error",
        ...subject,
        cause: "Its rollout stands still: the new pods do not become ready.",
        remedy: "See what is wrong with its newest pods, or undo the rollout.",
      },
    ];
  const failure = conditionOf(workload, "ReplicaFailure");
  if (failure?.status !== "True") return [];
  return [
    {
      severity: "error",
      ...subject,
      cause: `Its pods cannot be made: ${failure.message ?? failure.reason}.`,
      remedy: "A quota, a limit range or an admission policy of the namespace is in the way.",
    },
  ];
}

function claimProblems(claim: Claim): Problem[] {
  const subject = about("PersistentVolumeClaim", claim);
  if (claim.status.phase === "Lost")
    return [
      {
        severity: "error",
        ...subject,
        cause: "The volume that it had is gone.",
        remedy: "Restore a backup with `skerry volume restore`, or delete the claim and make a new one.",
      },
    ];
  return [];
}
