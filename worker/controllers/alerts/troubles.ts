/** What of the cluster may be an alert: the problems of its objects, remembered in a few bytes each, by the rules' names. */
import { Deployment } from "../../kinds/apps/deployment.ts";
import { Job } from "../../kinds/batch/job.ts";
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { Active, Wrong } from "../../lib/alerts/step.ts";
import { ALERT_RULES, alertId, type RuleSettings } from "../../lib/facts/alerts.ts";
import type * as facts from "../../lib/facts/objects.ts";
import {
  claimProblem,
  containersOf,
  jobProblem,
  nodeProblems,
  type ObjectProblem,
  type ProblemRule,
  podProblem,
  workloadProblem,
} from "../../lib/facts/problems.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Digest, View } from "../controller.ts";
import { splitKey } from "../keys.ts";
import { controllerOf } from "../owners.ts";
import { CERTIFICATES, certificateTroubles, SHOWN } from "./certificates.ts";

export type Trouble = Pick<ObjectProblem, "rule" | "kind" | "namespace" | "name" | "since"> & {
  /** It is no reason to begin an alert, and none to end one; until then, ms, where time ends it. */
  lingers?: { until?: number };
  /** The pod that it is of, where that is another's. */
  pod?: string;
  describe(now: number): Pick<ObjectProblem, "severity" | "cause" | "remedy">;
};

/** As kubelet's backoff: who ran that long has come up. */
const STEADY_MS = 10 * 60_000;
const LOOP_RESTARTS = 3;

/** The facts' types say of a status that it is there. */
const readable = <T>(object: Readonly<KubeObject>): T => ({ status: {}, ...object }) as T;

type Brief = Pick<ObjectProblem, "rule" | "since">;
type PodBrief = Brief & { owner: { kind: string; name: string }; node?: string; lingers?: { until?: number } };

export const NODES: Digest<Node, readonly Brief[]> = {
  kind: Node,
  of: (node) => nodeProblems(readable<facts.Node>(node), () => 0, 0).map(brief),
};

const brief = ({ rule, since }: ObjectProblem): Brief => ({ rule, since });

export const PODS: Digest<Pod, PodBrief | undefined> = {
  kind: Pod,
  of(pod) {
    if (pod.metadata.deletionTimestamp) return undefined;
    const read = readable<facts.Pod>(pod);
    const known = loopOf(read) ?? podProblem(read);
    // Whose first restarts they are may yet come up.
    if (!known || (known.rule === "crash-loop" && !("isLoop" in known))) return undefined;
    const { rule, since } = known;
    const { nodeName } = pod.spec ?? {};
    const lingers = "lingers" in known ? known.lingers : undefined;
    return { rule, since, owner: ownerOf(pod), ...(nodeName && { node: nodeName }), ...(lingers && { lingers }) };
  },
};

/** A container that ends soon after each start. While it runs nobody knows whether it will again. */
function loopOf(pod: facts.Pod): (Brief & { isLoop: true; lingers?: { until?: number } }) | undefined {
  const container = containersOf(pod).find(({ restartCount, lastState }) => {
    const { startedAt = "", finishedAt = "" } = lastState?.terminated ?? {};
    return restartCount >= LOOP_RESTARTS && Date.parse(finishedAt) - Date.parse(startedAt) < STEADY_MS;
  });
  if (!container) return undefined;
  const { waiting, running, terminated } = container.state ?? {};
  const loop = { rule: "crash-loop", since: 0, isLoop: true } as const;
  if (waiting?.reason === "CrashLoopBackOff") return loop;
  if (running) return { ...loop, lingers: { until: Date.parse(running.startedAt) + STEADY_MS } };
  return terminated && terminated.exitCode !== 0 ? { ...loop, lingers: {} } : undefined;
}

const HASH = "pod-template-hash";

/** What the pod is one of: what replaces it is of the same. */
function ownerOf(pod: Readonly<Pod>): { kind: string; name: string } {
  const owner = controllerOf(pod);
  if (!owner) return { kind: "Pod", name: pod.metadata.name ?? "" };
  const suffix = `-${pod.metadata.labels?.[HASH]}`;
  if (owner.kind === "ReplicaSet" && owner.name.endsWith(suffix))
    return { kind: "Deployment", name: owner.name.slice(0, -suffix.length) };
  return { kind: owner.kind, name: owner.name };
}

export const DEPLOYMENTS: Digest<Deployment, Brief | undefined> = {
  kind: Deployment,
  of: (deployment) => maybe(workloadProblem(readable(deployment))),
};

export const CLAIMS: Digest<PersistentVolumeClaim, Brief | undefined> = {
  kind: PersistentVolumeClaim,
  of: (claim) => maybe(claimProblem(readable(claim))),
};

const maybe = (problem: ObjectProblem | undefined) => problem && brief(problem);

type JobBrief = { cron?: string; endedAt: number; failed: boolean };

/** Those that ended, of which somebody may have to be told. */
export const JOBS: Digest<Job, JobBrief | undefined> = {
  kind: Job,
  of(job) {
    const problem = jobProblem(readable(job));
    const owner = controllerOf(job);
    const cron = owner?.kind === "CronJob" ? owner.name : undefined;
    if (problem) return { failed: true, endedAt: problem.since, ...(cron && { cron }) };
    const end = job.status?.completionTime;
    return cron && end ? { failed: false, endedAt: Date.parse(end), cron } : undefined;
  },
};

/** All of which a change may be one of what is wrong. */
export const WATCHED: readonly Digest<KubeObject, unknown>[] = [
  NODES,
  PODS,
  DEPLOYMENTS,
  CLAIMS,
  JOBS,
  CERTIFICATES,
  SHOWN,
] as readonly unknown[] as readonly Digest<KubeObject, unknown>[];

function* troubles(view: View): Iterable<Trouble> {
  const offline = new Set<string>();
  for (const [key, briefs] of view.digest(NODES)) {
    const [, name] = splitKey(key);
    if (briefs.some(({ rule }) => rule === "node-offline")) offline.add(name);
    for (const { rule, since } of briefs)
      yield { rule, since, kind: "Node", name, describe: (now) => described(nodeProblemsOf(view, name, now), rule) };
  }
  yield* podTroubles(view, offline);
  yield* simple(view, DEPLOYMENTS, "Deployment", workloadProblem);
  yield* simple(view, CLAIMS, "PersistentVolumeClaim", claimProblem);
  yield* jobTroubles(view);
  yield* certificateTroubles(view);
}

function nodeProblemsOf(view: View, name: string, now: number): ObjectProblem[] {
  const node = view.get(Node, "", name);
  return node ? nodeProblems(readable<facts.Node>(node), () => view.onNode(Pod, name).length, now) : [];
}

const described = (problems: readonly ObjectProblem[], rule: ProblemRule) =>
  problems.find((problem) => problem.rule === rule) ?? {
    severity: "warning" as const,
    cause: ALERT_RULES[rule].about,
    remedy: "",
  };

function* podTroubles(view: View, offline: ReadonlySet<string>): Iterable<Trouble> {
  for (const [key, known] of view.digest(PODS)) {
    if (!known) continue;
    const [namespace, pod] = splitKey(key);
    const { rule, since, owner, node, lingers } = known;
    const isAway = node !== undefined && offline.has(node); // told of the node, once
    yield {
      rule,
      since,
      ...owner,
      namespace,
      pod,
      ...((isAway || lingers) && { lingers: isAway ? {} : lingers }),
      describe() {
        const object = view.get(Pod, namespace, pod);
        return described(object ? [podProblem(readable<facts.Pod>(object)) ?? []].flat() : [], rule);
      },
    };
  }
}

function* simple<T extends KubeObject, F>(
  view: View,
  digest: Digest<T, Brief | undefined>,
  kind: string,
  problemOf: (object: F) => ObjectProblem | undefined,
): Iterable<Trouble> {
  for (const [key, known] of view.digest(digest)) {
    if (!known) continue;
    const [namespace, name] = splitKey(key);
    const describe = () => {
      const object = view.get(digest.kind, namespace, name);
      return described(object ? [problemOf(readable<F>(object)) ?? []].flat() : [], known.rule);
    };
    yield { ...known, kind, namespace, name, describe };
  }
}

/** Of a CronJob's Jobs the last that ended says how it is. */
function* jobTroubles(view: View): Iterable<Trouble> {
  const last = new Map<string, { key: string; brief: JobBrief }>();
  for (const [key, known] of view.digest(JOBS)) {
    if (!known) continue;
    const of = known.cron === undefined ? key : `${splitKey(key)[0]}//${known.cron}`;
    if (known.endedAt >= (last.get(of)?.brief.endedAt ?? 0)) last.set(of, { key, brief: known });
  }
  for (const { key, brief: known } of last.values()) {
    if (!known.failed) continue;
    const [namespace, job] = splitKey(key);
    yield {
      rule: "job-failed",
      since: known.endedAt,
      ...(known.cron === undefined ? { kind: "Job", name: job } : { kind: "CronJob", name: known.cron }),
      namespace,
      describe() {
        const object = view.get(Job, namespace, job);
        return described(object ? [jobProblem(readable<facts.Job>(object)) ?? []].flat() : [], "job-failed");
      },
    };
  }
}

/** What is wrong as alerts see it: what has lasted long enough, and when more will have. */
export function wrongIn(
  view: View,
  rules: Readonly<Record<ProblemRule, RuleSettings>>,
  now: number,
): Wrong & { due: number | undefined } {
  const lingering = new Set<string>();
  const found = new Map<string, { trouble: Trouble; count: number }>();
  let due = Number.POSITIVE_INFINITY;
  for (const trouble of troubles(view)) {
    const { enabled, forMs } = rules[trouble.rule];
    if (!enabled) continue;
    const id = alertId(trouble);
    const begins = trouble.since + forMs;
    if (trouble.lingers) {
      const { until = Number.POSITIVE_INFINITY } = trouble.lingers;
      if (now >= until) continue;
      lingering.add(id);
      due = Math.min(due, until);
    } else if (now < begins) due = Math.min(due, begins);
    else found.set(id, { trouble: found.get(id)?.trouble ?? trouble, count: (found.get(id)?.count ?? 0) + 1 });
  }
  const active = new Map(
    [...found].map(([id, { trouble, count }]) => [id, () => activeOf(trouble, count, now)] as const),
  );
  return { active, lingering, due: Number.isFinite(due) ? due : undefined };
}

function activeOf(trouble: Trouble, count: number, now: number): Active {
  const { rule, kind, namespace, name, since, pod } = trouble;
  const { severity, cause, remedy } = trouble.describe(now);
  const which =
    pod === undefined || kind === "Pod" ? "" : count > 1 ? `${count} pods, one is ${pod}. ` : `Pod ${pod}. `;
  return { rule, severity, kind, ...(namespace && { namespace }), name, since, cause: `${which}${cause}`, remedy };
}

/** The object that an alert is about, for an Event of it. */
export function objectOf(view: View, { kind, namespace = "", name }: Pick<Active, "kind" | "namespace" | "name">) {
  const known = view.kinds().find((one) => one.kind === kind && (one.group === "" || KNOWN.has(one.groupResource)));
  return known && view.get(known as Kind, namespace, name);
}

const KNOWN: ReadonlySet<string> = new Set([
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
]);
