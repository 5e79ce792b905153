import { ControllerRevision } from "../../kinds/apps/controller-revision.ts";
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodAvailable, isPodReady, isPodTerminal, podAvailableAt } from "../../kinds/core/pod-conditions.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { ownKey, splitKey, watch } from "../keys.ts";
import { claim, keysOfOwners } from "../owners.ts";
import { removal } from "../removal.ts";
import {
  currentRevision,
  forgetRevisions,
  REVISION_HASH,
  type Revision,
  revisionsOf,
  templateOf,
} from "../revisions.ts";
import { ordinalOf, podName, podOf } from "./identity.ts";
import { hasStaleClaim, missingClaims, setsClaiming, setsOwning, settleOwners } from "./retention.ts";

type Set_ = Readonly<StatefulSet>;
type Pods = readonly Readonly<Pod>[];

/** What one reconcile knows: where it came from, where it goes. */
type Rollout = {
  view: View;
  now: number;
  set: Set_;
  pods: Pods;
  revisions: ReturnType<typeof revisionsOf>;
  current: Revision;
  update: Revision;
};

const selects = (set: Set_, object: Readonly<KubeObject>): boolean =>
  matchesSelector(set.spec.selector, object.metadata?.labels) && ordinalOf(set, object as Pod) !== undefined;

/**
 * Keeps pods with lasting identities, one of each at most, made and removed in order.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
export const statefulSetController: Controller = {
  name: "statefulset-controller",
  watches: [
    watch(StatefulSet, ownKey),
    watch(Pod, (pod, old, view) => keysOfOwners(StatefulSet, pod, old, view, selects)),
    // A claim has other owners now, or a pod can have a new one.
    watch(PersistentVolumeClaim, function* (claim, old, view, type) {
      if (type === "DELETED") return yield* setsClaiming(view, claim);
      if (type === "MODIFIED" && same(claim.metadata?.ownerReferences, old?.metadata?.ownerReferences)) return;
      for (const set of setsOwning(claim, old)) yield `${claim.metadata?.namespace}/${set}`;
    }),
    watch(ControllerRevision, (revision, old, view) => keysOfOwners(StatefulSet, revision, old, view, () => false)),
  ],
  reconcile(view, key, { now }) {
    const set = view.get(StatefulSet, ...splitKey(key));
    if (!set) return [];
    const rollout = observe(view, set, now);
    // Of one that is going, a revision that has gone is not made anew.
    if (Array.isArray(rollout)) return set.metadata.deletionTimestamp ? [] : rollout;
    const { pods, revisions, current, update } = rollout;
    const { start, end } = range(set);
    const isWanted = (pod: Readonly<Pod>) => within(ordinalOf(set, pod) ?? -1, start, end);
    const owners = pods.flatMap((pod) => [
      ...settleOwners(view, set, pod, isWanted(pod)),
      ...(isWanted(pod) && !isLeaving(pod) && pod.status?.phase === "Pending" ? missingClaims(view, set, pod) : []),
    ]);
    if (owners.length > 0 && !set.metadata.deletionTimestamp) return owners; // which brings the set here again
    const steps = set.metadata.deletionTimestamp ? [] : stepsOf(rollout);
    if (steps.some(({ do: what }) => what !== "again")) return steps;
    const live = new Set([...pods.map(revisionOf), current.metadata.name ?? "", update.metadata.name ?? ""]);
    return [...writeStatus(set, statusOf(rollout)), ...forgetRevisions(set, revisions, live), ...steps];
  },
  refused(view, key, { intent, error }, { now }) {
    const set = view.get(StatefulSet, ...splitKey(key));
    if (!set || (intent.do !== "create" && intent.do !== "delete") || intent.kind.kind !== "Pod") return [];
    const pod = intent.do === "create" ? intent.object.metadata?.name : intent.name;
    const [reason, verb] = intent.do === "create" ? ["FailedCreate", "create"] : ["FailedDelete", "delete"];
    const text = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${error.message}`;
    const rollout = observe(view, set, now);
    const report = Array.isArray(rollout) ? [] : writeStatus(set, statusOf(rollout));
    return [warning(set, reason, text), ...report];
  },
};

/** Where a set stands, or what has to be put right before that can be told. */
function observe(view: View, set: Set_, now: number): Rollout | Intent[] {
  const { claimed, intents } = claim(view, StatefulSet, set, Pod, (pod) => selects(set, pod));
  if (intents.length > 0) return intents;
  const revisions = revisionsOf(view, set);
  const collisions = set.status?.collisionCount ?? 0;
  const newest = currentRevision(view, StatefulSet, set, revisions, collisions);
  if (newest.collision) return writeStatus(set, { replicas: 0, ...set.status, collisionCount: collisions + 1 });
  if (newest.intents.length > 0) return newest.intents;
  const update = newest.revision as Revision;
  const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  return { view, now, set, pods: claimed, revisions, current, update };
}

const revisionOf = (pod: Readonly<Pod>): string => pod.metadata.labels?.[REVISION_HASH] ?? "";
const isLeaving = (pod: Readonly<Pod>): boolean => pod.metadata.deletionTimestamp !== undefined;
const isUp = (pod: Readonly<Pod>): boolean => pod.status?.phase === "Running" && isPodReady(pod);
const range = (set: Set_) => {
  const start = set.spec.ordinals?.start ?? 0;
  return { start, end: start + (set.spec.replicas ?? 1) };
};

const within = (ordinal: number, start: number, end: number): boolean => ordinal >= start && ordinal < end;

/** Creates, waits, removes, updates, in this order; with OrderedReady the first pod not settled stops all that follows. */
function stepsOf(rollout: Rollout): Intent[] {
  const { set, pods } = rollout;
  const ordered = set.spec.podManagementPolicy !== "Parallel";
  const { start, end } = range(set);
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const steps: Intent[] = [];
  for (let ordinal = start; ordinal < end; ordinal++) {
    const settling = settle(rollout, ordinal, byOrdinal.get(ordinal));
    steps.push(...(settling ?? []));
    if (settling && ordered) return steps;
  }
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => !within(ordinal, start, end))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  // In order, one that is not well goes only when all below it are: of several the lowest is first.
  const firstUnwell = condemned.findLast((pod) => unsettled(rollout, pod));
  for (const pod of condemned) {
    const waits = ordered && pod !== firstUnwell ? unsettled(rollout, pod) : undefined;
    if (waits) return [...steps, ...waits];
    if (!isLeaving(pod)) steps.push(...dismissal(set, pod));
    if (ordered) return steps;
  }
  if (steps.length > 0 || set.spec.updateStrategy?.type === "OnDelete") return steps;
  return [...steps, ...nextUpdate(rollout, byOrdinal)];
}

/** What a wanted pod needs; undefined when it is settled, nothing but a wait when only time helps. */
function settle(rollout: Rollout, ordinal: number, pod: Readonly<Pod> | undefined): Intent[] | undefined {
  if (!pod) return creation(rollout, ordinal);
  if (isPodTerminal(pod) && !isLeaving(pod)) return dismissal(rollout.set, pod);
  return unsettled(rollout, pod);
}

/** What to do until a pod is well and not on its way out; undefined when it is. */
function unsettled({ set, now }: Rollout, pod: Readonly<Pod>): Intent[] | undefined {
  if (isLeaving(pod) || !isUp(pod)) return [];
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  if (isPodAvailable(pod, minReadySeconds, now)) return undefined;
  return [{ do: "again", afterMs: (podAvailableAt(pod, minReadySeconds) ?? now) - now }];
}

function creation({ view, set, current, update }: Rollout, ordinal: number): Intent[] {
  const name = podName(set, ordinal);
  if (hasStaleClaim(view, set, ordinal)) return [];
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const rolling = set.spec.updateStrategy?.type !== "OnDelete";
  const revision = rolling && ordinal < partition ? current : update;
  const pod = podOf(set, ordinal, templateOf(revision), revision.metadata.name ?? "");
  return [
    ...missingClaims(view, set, pod),
    { do: "create", kind: Pod, object: pod },
    normal(set, "SuccessfulCreate", `create Pod ${name} in StatefulSet ${set.metadata.name} successful`),
  ];
}

function dismissal(set: Set_, pod: Readonly<Pod>): Intent[] {
  return [
    removal(Pod, pod),
    normal(set, "SuccessfulDelete", `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`),
  ];
}

/** From the last down to the partition, one at a time, each only when all above it are well. */
function nextUpdate({ set, update }: Rollout, byOrdinal: ReadonlyMap<number, Readonly<Pod>>): Intent[] {
  const { start, end } = range(set);
  const first = Math.max(start, set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
  for (let ordinal = end - 1; ordinal >= first; ordinal--) {
    const pod = byOrdinal.get(ordinal);
    if (!pod || isLeaving(pod)) return [];
    if (revisionOf(pod) !== update.metadata.name) return dismissal(set, pod);
    if (!isUp(pod)) return [];
  }
  return [];
}

function statusOf({ set, pods, current, update, now }: Rollout): NonNullable<StatefulSet["status"]> {
  const { start, end } = range(set);
  const names = { current: current.metadata.name ?? "", update: update.metadata.name ?? "" };
  const count = (test: (pod: Readonly<Pod>) => boolean) => pods.filter(test).length;
  const of = (revision: string) => count((pod) => !isLeaving(pod) && revisionOf(pod) === revision);
  const status = {
    observedGeneration: set.metadata.generation,
    replicas: count((pod) => pod.status?.phase !== undefined),
    readyReplicas: count(isUp),
    currentReplicas: of(names.current),
    updatedReplicas: of(names.update),
    currentRevision: names.current,
    updateRevision: names.update,
    collisionCount: set.status?.collisionCount ?? 0,
    availableReplicas: count((pod) => isUp(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
  };
  const wanted = end - start;
  const done = status.updatedReplicas === wanted && status.readyReplicas === wanted && status.replicas === wanted;
  if (set.spec.updateStrategy?.type !== "OnDelete" && done)
    Object.assign(status, { currentRevision: names.update, currentReplicas: status.updatedReplicas });
  const { readyReplicas, currentReplicas, updatedReplicas, ...rest } = status;
  return {
    ...rest,
    ...(readyReplicas > 0 && { readyReplicas }),
    ...(status.currentReplicas > 0 && { currentReplicas }),
    ...(updatedReplicas > 0 && { updatedReplicas }),
  };
}

function writeStatus(set: Set_, status: NonNullable<StatefulSet["status"]>): Intent[] {
  if (same(status, set.status)) return [];
  return [{ do: "updateStatus", kind: StatefulSet, object: { ...set, status } as StatefulSet }];
}
