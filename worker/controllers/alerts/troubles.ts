/** What of the cluster may be an alert: the problems of its objects, remembered in a few bytes each, by the rules' names. */
import { DaemonSet } from "../../kinds/apps/daemon-set.ts";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { Job } from "../../kinds/batch/job.ts";
import { Node } from "../../kinds/core/node.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { ReplicationController } from "../../kinds/core/replication-controller.ts";
import { GATEWAYS } from "../../kinds/gateway/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { type Active, roomBeside, type Wrong } from "../../lib/alerts/step.ts";
import { ALERT_RULES, type Alert, alertId, type RuleSettings } from "../../lib/facts/alerts.ts";
import type * as facts from "../../lib/facts/objects.ts";
import {
  claimProblem,
  containersOf,
  cronJobOf,
  isObjectName,
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
import { controllerOf, refersTo } from "../owners.ts";
import { CERTIFICATES, certificateTroubles, SHOWN, shownByGateway } from "./certificates.ts";

type Words = Pick<ObjectProblem, "severity" | "cause" | "remedy">;

export type Trouble = Pick<ObjectProblem, "rule" | "kind" | "namespace" | "name" | "since"> & {
  /** Until then, ms, it is no reason to begin an alert, and none to end one; Infinity where time does not end it. */
  lingersUntil?: number | undefined;
  /** The pod that it is of, where that may be another's. */
  pod?: string;
  /** Given the trouble itself: there may be many, of which few are asked. */
  describe(view: View, trouble: Trouble, now: number): Words;
};

/** As kubelet's backoff: who ran that long has come up. */
const STEADY_MS = 10 * 60_000;
const LOOP_RESTARTS = 3;
const NEVER = Number.POSITIVE_INFINITY;

/** The facts' types say of a status that it is there. */
const readable = <T>(object: Readonly<KubeObject>): T => ({ status: {}, ...object }) as T;

type Brief = Pick<ObjectProblem, "rule" | "since">;
/** All have the same fields, in one order: there may be very many. `name`: the owner's, of a `kind` that is no Pod. */
type PodBrief = Brief & {
  kind: string;
  name: string | undefined;
  node: string | undefined;
  lingersUntil: number | undefined;
};

export const NODES: Digest<Node, readonly Brief[]> = {
  kind: Node,
  of: (node) => nodeProblems(readable<facts.Node>(node), () => 0, 0).map(brief),
};

const brief = ({ rule, since }: ObjectProblem): Brief => ({ rule, since });

export const PODS: Digest<Pod, PodBrief | undefined> = {
  isSparse: true,
  kind: Pod,
  of(pod) {
    if (pod.metadata.deletionTimestamp) return undefined;
    const read = readable<facts.Pod>(pod);
    const known = loopOf(read) ?? podProblem(read);
    // Whose first restarts they are may yet come up.
    if (!known || (known.rule === "crash-loop" && !("isLoop" in known))) return undefined;
    const { rule, since } = known;
    const lingersUntil = "lingersUntil" in known ? known.lingersUntil : undefined;
    return { rule, since, ...ownerOf(pod), node: pod.spec?.nodeName, lingersUntil };
  },
};

/** A container that ends soon after each start. While it runs nobody knows whether it will again. */
function loopOf(pod: facts.Pod): (Brief & { isLoop: true; lingersUntil?: number }) | undefined {
  const container = containersOf(pod).find(({ restartCount, lastState }) => {
    const { startedAt = "", finishedAt = "" } = lastState?.terminated ?? {};
    return restartCount >= LOOP_RESTARTS && Date.parse(finishedAt) - Date.parse(startedAt) < STEADY_MS;
  });
  if (!container) return undefined;
  const { waiting, running, terminated } = container.state ?? {};
  const loop = { rule: "crash-loop", since: 0, isLoop: true } as const;
  if (waiting?.reason === "CrashLoopBackOff") return loop;
  // Who does not tell when it started may have done so just now.
  if (running) return { ...loop, lingersUntil: (Date.parse(running.startedAt) || NEVER) + STEADY_MS };
  return terminated && terminated.exitCode !== 0 ? { ...loop, lingersUntil: NEVER } : undefined;
}

const HASH = "pod-template-hash";

const OWNERS = [
  ReplicaSet,
  StatefulSet,
  DaemonSet,
  Job,
  ReplicationController,
] as readonly unknown[] as readonly Kind[];

/** What the pod is one of: what replaces it is of the same. Whoever makes a pod may write anything there. */
function ownerOf(pod: Readonly<Pod>): Pick<PodBrief, "kind" | "name"> {
  const owner = controllerOf(pod);
  if (!owner || !isObjectName(owner.name) || !OWNERS.some((kind) => refersTo(owner, kind)))
    return { kind: "Pod", name: undefined };
  const suffix = `-${pod.metadata.labels?.[HASH]}`;
  if (owner.kind === "ReplicaSet" && owner.name.endsWith(suffix))
    return { kind: "Deployment", name: owner.name.slice(0, -suffix.length) };
  return { kind: owner.kind, name: owner.name };
}

export const DEPLOYMENTS: Digest<Deployment, Brief | undefined> = {
  isSparse: true,
  kind: Deployment,
  of: (deployment) => maybe(workloadProblem(readable(deployment))),
};

export const CLAIMS: Digest<PersistentVolumeClaim, Brief | undefined> = {
  isSparse: true,
  kind: PersistentVolumeClaim,
  of: (claim) => maybe(claimProblem(readable(claim))),
};

const maybe = (problem: ObjectProblem | undefined) => problem && brief(problem);

type JobBrief = { cron?: string; endedAt: number; failed: boolean };

/** Those that ended, of which somebody may have to be told. */
export const JOBS: Digest<Job, JobBrief | undefined> = {
  isSparse: true,
  kind: Job,
  of(job) {
    const problem = jobProblem(readable(job));
    const cron = cronJobOf(job);
    if (problem) return { failed: true, endedAt: problem.since, ...(cron && { cron }) };
    const end = job.status?.completionTime;
    return cron && end ? { failed: false, endedAt: Date.parse(end), cron } : undefined;
  },
};

const DIGESTS = [NODES, PODS, DEPLOYMENTS, CLAIMS, JOBS, CERTIFICATES, SHOWN] as readonly unknown[] as readonly Digest<
  KubeObject,
  unknown
>[];

/** By resource: what of its objects may be one of what is wrong. */
export const WATCHED: ReadonlyMap<string, (object: Readonly<KubeObject>) => unknown> = new Map([
  ...DIGESTS.map(({ kind, of }) => [kind.groupResource, of] as const),
  [GATEWAYS, shownByGateway] as const,
]);

function* troubles(view: View): Iterable<Trouble> {
  const offline = new Set<string>();
  for (const [key, briefs] of view.digest(NODES)) {
    const [, name] = splitKey(key);
    if (briefs.some(({ rule }) => rule === "node-offline")) offline.add(name);
    for (const { rule, since } of briefs) yield { rule, since, kind: "Node", name, describe: ofNode };
  }
  yield* podTroubles(view, offline);
  yield* simple(view, DEPLOYMENTS, "Deployment", workloadProblem);
  yield* simple(view, CLAIMS, "PersistentVolumeClaim", claimProblem);
  yield* jobTroubles(view);
  yield* certificateTroubles(view);
}

function ofNode(view: View, { name, rule }: Trouble, now: number): Words {
  const node = view.get(Node, "", name);
  const here = () => view.onNode(Pod, name).length;
  return described(node ? nodeProblems(readable<facts.Node>(node), here, now) : [], rule);
}

const described = (problems: readonly (ObjectProblem | undefined)[], rule: ProblemRule): Words =>
  problems.find((problem) => problem?.rule === rule) ?? {
    severity: "warning",
    cause: ALERT_RULES[rule].about,
    remedy: "",
  };

function* podTroubles(view: View, offline: ReadonlySet<string>): Iterable<Trouble> {
  for (const [key, known] of view.digest(PODS)) {
    if (!known) continue;
    const [namespace, pod] = splitKey(key);
    const { rule, since, kind, name = pod, node } = known;
    const isAway = node !== undefined && offline.has(node); // told of the node, once
    const lingersUntil = isAway ? NEVER : known.lingersUntil;
    yield { rule, since, kind, namespace, name, pod, lingersUntil, describe: ofPod };
  }
}

function ofPod(view: View, { namespace = "", pod = "", rule }: Trouble): Words {
  const object = view.get(Pod, namespace, pod);
  return described([object && podProblem(readable<facts.Pod>(object))], rule);
}

function* simple<T extends KubeObject, F>(
  view: View,
  digest: Digest<T, Brief | undefined>,
  kind: string,
  problemOf: (object: F) => ObjectProblem | undefined,
): Iterable<Trouble> {
  const describe = (_: View, { namespace = "", name, rule }: Trouble) => {
    const object = view.get(digest.kind, namespace, name);
    return described([object && problemOf(readable<F>(object))], rule);
  };
  for (const [key, known] of view.digest(digest)) {
    if (!known) continue;
    const [namespace, name] = splitKey(key);
    yield { ...known, kind, namespace, name, describe };
  }
}

/** Of a CronJob's Jobs the last that ended says how it is. */
function* jobTroubles(view: View): Iterable<Trouble> {
  const last = new Map<string, { job: string; brief: JobBrief }>();
  for (const [key, known] of view.digest(JOBS)) {
    if (!known) continue;
    const [namespace, job] = splitKey(key);
    if (known.cron === undefined) {
      yield { rule: "job-failed", since: known.endedAt, kind: "Job", namespace, name: job, describe: ofJob };
      continue;
    }
    const of = `${namespace}/${known.cron}`;
    if (known.endedAt >= (last.get(of)?.brief.endedAt ?? 0)) last.set(of, { job, brief: known });
  }
  for (const [key, { job, brief: known }] of last) {
    if (!known.failed) continue;
    const [namespace, name] = splitKey(key);
    const describe: Trouble["describe"] = (_, trouble) => ofJob(view, { ...trouble, name: job });
    yield { rule: "job-failed", since: known.endedAt, kind: "CronJob", namespace, name, describe };
  }
}

function ofJob(view: View, { namespace = "", name }: Trouble): Words {
  const object = view.get(Job, namespace, name);
  return described([object && jobProblem(readable<facts.Job>(object))], "job-failed");
}

/** More than these are not counted: whoever is told does not mind, and a count that changes is written each time. */
const MAX_COUNTED = 1000;

/**
 * What is wrong as alerts see it: what has lasted long enough, and when more will have. Of what is no alert `before` as much
 * as its rule has room for, since there may be as many troubles as pods.
 */
export function wrongIn(
  view: View,
  rules: Readonly<Record<ProblemRule, RuleSettings>>,
  before: readonly Alert[],
  now: number,
): Wrong & { due: number | undefined } {
  const known = new Set(before.map(alertId));
  const take = roomBeside(before);
  const lingering = new Set<string>();
  const found = new Map<string, { trouble: Trouble; count: number }>();
  const others = new Set<string>();
  let due = NEVER;
  for (const trouble of troubles(view)) {
    const { rule, since, lingersUntil } = trouble;
    const { enabled, forMs } = rules[rule];
    if (!enabled || (lingersUntil !== undefined && now >= lingersUntil)) continue;
    const begins = since + forMs;
    if (lingersUntil === undefined && now < begins) {
      due = Math.min(due, begins);
      continue;
    }
    const id = alertId(trouble);
    const same = found.get(id);
    if (lingersUntil !== undefined) {
      if (!known.has(id)) continue;
      lingering.add(id);
      due = Math.min(due, lingersUntil);
    } else if (same) same.count++;
    else if (known.has(id) || take(rule)) found.set(id, { trouble, count: 1 });
    else if (others.size < MAX_COUNTED) others.add(id);
  }
  const active = new Map(
    [...found].map(([id, { trouble, count }]) => [id, () => activeOf(view, trouble, count, now)] as const),
  );
  return { active, lingering, more: others.size, due: Number.isFinite(due) ? due : undefined };
}

function activeOf(view: View, trouble: Trouble, count: number, now: number): Active {
  const { rule, kind, namespace, name, since, pod } = trouble;
  const { severity, cause, remedy } = trouble.describe(view, trouble, now);
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
