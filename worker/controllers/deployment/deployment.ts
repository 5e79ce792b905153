import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { warning } from "../events.ts";
import { ownKey, splitKey } from "../keys.ts";
import { claim, keysOfOwners } from "../owners.ts";
import { maxRevision, REVISION, revisionOf } from "./annotations.ts";
import { hasDeadline, isRolling, replicasOf } from "./bounds.ts";
import { type Counted, newestSize, type Resize, shrinkOld } from "./rolling.ts";
import { scaled, sizeOf, wasScaled } from "./scaling.ts";
import { cleanUp, countPods, findNewest, newSet, scaledEvent, updateSets } from "./sets.ts";
import {
  type Condition,
  deploymentStatus,
  isComplete,
  progress,
  progressDeadline,
  setCondition,
  withReplicaFailure,
} from "./status.ts";

type Sets = readonly Readonly<ReplicaSet>[];

/** All that one reconcile knows. */
type Rollout = {
  view: View;
  now: number;
  d: Readonly<Deployment>;
  newest: Readonly<ReplicaSet> | undefined;
  old: Sets;
  /** The revision that the newest set has or gets. */
  revision: bigint;
  conditions: Condition[];
};

/** What a strategy wants: a set for the current template if it has none, and sizes. */
type Plan = { create?: number; resizes: readonly Resize[] };

const selects = (d: Readonly<Deployment>, object: Readonly<KubeObject>): boolean =>
  matchesSelector(d.spec.selector, object.metadata?.labels);

/**
 * Rolls pods from one template to the next by sizing one ReplicaSet for each.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 */
export const deploymentController: Controller = {
  name: "deployment-controller",
  watches: [
    { kind: Deployment, keys: ownKey },
    { kind: ReplicaSet, keys: (set, old, view) => keysOfOwners(Deployment, set, old, view, selects) },
  ],
  reconcile(view, key, { now }) {
    const d = view.get(Deployment, ...splitKey(key));
    if (!d) return [];
    const { claimed, intents } = claim(view, Deployment, d, ReplicaSet, (set) => selects(d, set));
    if (intents.length > 0) return intents;
    const rollout = observe(view, d, claimed, now);
    if (d.metadata.deletionTimestamp) return report(rollout, false);
    const rescaling = wasScaled(d, claimed);
    const plan = planOf(rollout, rescaling);
    const steps = act(rollout, plan);
    if (steps.length > 0) return steps;
    return report(rollout, !d.spec.paused && !rescaling);
  },
  refused(view, key, { intent, error }, { now }) {
    const d = view.get(Deployment, ...splitKey(key));
    if (!d || intent.do !== "create") return [];
    const text = `Failed to create new replica set "${intent.object.metadata?.name}": ${error.message}`;
    const event = warning(d, "ReplicaSetCreateError", text);
    if (!hasDeadline(d)) return [event];
    const condition = { type: "Progressing", status: "False", reason: "ReplicaSetCreateError", message: text };
    return [
      event,
      ...writeStatus(d, { ...d.status, conditions: setCondition(d.status?.conditions ?? [], condition, now) }),
    ];
  },
};

function observe(view: View, d: Readonly<Deployment>, sets: Sets, now: number): Rollout {
  const newest = findNewest(d, sets);
  const old = sets.filter((set) => set !== newest);
  const next = maxRevision(old) + 1n;
  const revision = newest && revisionOf(newest) > next ? revisionOf(newest) : next;
  let conditions = pauseCondition(d, now);
  if (newest && hasDeadline(d) && !conditionOf(conditions, "Progressing"))
    conditions = setCondition(
      conditions,
      {
        type: "Progressing",
        status: "True",
        reason: "FoundNewReplicaSet",
        message: `Found new replica set "${newest.metadata.name}"`,
      },
      now,
    );
  return { view, now, d, newest, old, revision, conditions };
}

/** A pause stops the progress deadline's clock, resuming starts it anew; a failure already reported stays. */
function pauseCondition(d: Readonly<Deployment>, now: number): Condition[] {
  const conditions = d.status?.conditions ?? [];
  const reason = conditionOf(conditions, "Progressing")?.reason;
  if (!hasDeadline(d) || reason === "ProgressDeadlineExceeded") return [...conditions];
  if (Boolean(d.spec.paused) === (reason === "DeploymentPaused")) return [...conditions];
  const word = d.spec.paused ? "paused" : "resumed";
  return setCondition(
    conditions,
    {
      type: "Progressing",
      status: "Unknown",
      reason: d.spec.paused ? "DeploymentPaused" : "DeploymentResumed",
      message: `Deployment is ${word}`,
    },
    now,
  );
}

function planOf(rollout: Rollout, rescaling: boolean): Plan {
  const { d, newest, old } = rollout;
  if (d.spec.paused || rescaling) return { resizes: scaled(d, newest, old) };
  return isRolling(d) ? rollingPlan(rollout) : recreatePlan(rollout);
}

function rollingPlan({ view, now, d, newest, old }: Rollout): Plan {
  const active = old.filter((set) => sizeOf(set) > 0 || (set.status?.replicas ?? 0) > 0);
  const counted = active.map((set) => countPods(view, set, now));
  if (!newest) return { create: newestSize(d, NO_PODS, counted), resizes: [] };
  if (counted.length === 0) return { resizes: resizeTo(newest, replicasOf(d)) };
  const own = countPods(view, newest, now);
  const grown = resizeTo(newest, newestSize(d, own, counted));
  return { resizes: grown.length > 0 ? grown : shrinkOld(d, own, counted) };
}

const NO_PODS: Counted = {
  set: { metadata: {}, spec: { selector: {} } },
  size: 0,
  alive: 0,
  ready: 0,
  available: 0,
};

/** No pod of the current template starts before the last one of an old template has ended. */
function recreatePlan({ view, d, newest, old }: Rollout): Plan {
  const active = old.filter((set) => sizeOf(set) > 0);
  if (active.length > 0) return { resizes: active.map((set) => ({ set, to: 0 })) };
  if (newest && sizeOf(newest) === replicasOf(d)) return { resizes: [] };
  if (old.some((set) => view.owned(Pod, set.metadata.uid ?? "").some((pod) => !isPodTerminal(pod))))
    return { resizes: [] };
  return newest ? { resizes: resizeTo(newest, replicasOf(d)) } : { create: replicasOf(d), resizes: [] };
}

const resizeTo = (set: Readonly<ReplicaSet>, to: number): Resize[] => (sizeOf(set) === to ? [] : [{ set, to }]);

function act(rollout: Rollout, { create, resizes }: Plan): Intent[] {
  const { d, newest, revision } = rollout;
  if (create !== undefined) return createNewest(rollout, create);
  const steps = updateSets(d, newest, revision, resizes);
  if (newest && d.metadata.annotations?.[REVISION] !== String(revision)) {
    const annotations = { ...d.metadata.annotations, [REVISION]: String(revision) };
    // By the status, as upstream: an annotation that comes otherwise makes a new generation.
    steps.push({
      do: "updateStatus",
      kind: Deployment,
      object: { ...d, metadata: { ...d.metadata, annotations } } as Deployment,
    });
  }
  return steps;
}

function createNewest({ view, now, d, old, revision, conditions }: Rollout, size: number): Intent[] {
  const set = newSet(d, revision);
  const name = set.metadata.name ?? "";
  set.spec.replicas = size;
  if (view.get(ReplicaSet, d.metadata.namespace ?? "", name))
    return writeStatus(d, { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 });
  const steps: Intent[] = [{ do: "create", kind: ReplicaSet, object: set }];
  if (size > 0) steps.push(scaledEvent(d, set, 0, size));
  if (!hasDeadline(d)) return steps;
  const created = {
    type: "Progressing",
    status: "True",
    reason: "NewReplicaSetCreated",
    message: `Created new replica set "${name}"`,
  };
  const status = deploymentStatus(d, undefined, old, setCondition(conditions, created, now), now);
  return [...steps, ...writeStatus(d, status)];
}

/** Status, history, and the time to look again; `judging` is off while progress means nothing (paused, rescaled). */
function report({ d, newest, old, conditions, now }: Rollout, judging: boolean): Intent[] {
  const sets = newest ? [newest, ...old] : old;
  const status = deploymentStatus(d, newest, sets, conditions, now);
  if (judging) {
    status.conditions = progress(d, newest, status, now);
    status.conditions = withReplicaFailure(status.conditions, sets, now);
  }
  const complete = isComplete(d, status);
  const intents = writeStatus(d, status);
  const deadline = judging && !complete ? progressDeadline(d, status) : undefined;
  // One second more than needed: timestamps have whole seconds.
  if (deadline !== undefined) intents.push({ do: "again", afterMs: Math.max(0, deadline - now) + 1000 });
  if (!d.metadata.deletionTimestamp && (complete || d.spec.paused)) intents.push(...cleanUp(d, old));
  return intents;
}

function writeStatus(d: Readonly<Deployment>, status: Deployment["status"]): Intent[] {
  if (same(status, d.status)) return [];
  return [{ do: "updateStatus", kind: Deployment, object: { ...d, status } as Deployment }];
}
