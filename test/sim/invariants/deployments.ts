/**
 * What rolling updates keep to, judged by what the controllers do: nodes may fail and clients may delete pods without
 * any rule being broken, so what counts is each step of the controllers in the state in which it was taken.
 */
import type { AppsV1Deployment, AppsV1ReplicaSet } from "../../../worker/kinds/generated/types.ts";
import { controllerOf, describe, type Entry, type History, type Step } from "./history.ts";
import {
  activePodsOf,
  isDeletedByOthers,
  isPodAvailable,
  isPodMarked,
  isPodReady,
  isPodTerminal,
  type Pod,
  podsOf,
} from "./pods.ts";
import type { Rule, Scene } from "./rule.ts";

type Deployment = Readonly<AppsV1Deployment>;
type Set_ = Readonly<AppsV1ReplicaSet>;

const DESIRED = "deployment.kubernetes.io/desired-replicas";
const SETS = "replicasets.apps";

const sizeOf = (set: Set_ | undefined): number => set?.spec?.replicas ?? (set ? 1 : 0);
const wanted = (d: Deployment): number => d.spec?.replicas ?? 1;

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable : percentages of surge round up, of the unavailable down. */
export function limits(d: Deployment): { most: number; least: number } {
  const replicas = wanted(d);
  const { maxSurge = "25%", maxUnavailable = "25%" } = d.spec?.strategy?.rollingUpdate ?? {};
  const share = (value: string | number) =>
    typeof value === "number" ? value : (Number.parseInt(value, 10) * replicas) / 100;
  const surge = Math.ceil(share(maxSurge));
  const unavailable = Math.floor(share(maxUnavailable)) || (surge === 0 ? 1 : 0);
  return { most: replicas + surge, least: Math.max(0, replicas - unavailable) };
}

/** The live Deployment that a step of a ReplicaSet was taken for. */
function deploymentOf(history: History, step: Step): Deployment | undefined {
  if (step.resource !== SETS || step.type === "DELETED") return undefined;
  const owner = controllerOf(step.object);
  const entry = owner && history.byUid<AppsV1Deployment>(owner.uid);
  return entry?.resource === "deployments.apps" && !entry.object.metadata?.deletionTimestamp ? entry.object : undefined;
}

const isRolling = (d: Deployment): boolean => d.spec?.strategy?.type !== "Recreate";

const setsOf = (history: History, d: Deployment): Entry<AppsV1ReplicaSet>[] =>
  history.controlled<AppsV1ReplicaSet>(SETS, d.metadata?.uid ?? "");

/** No set grows beyond what `maxSurge` leaves to all. */
export const surgeHolds: Rule = {
  rule: "max-surge-holds",
  start: ({ history, fail }) => ({
    step(step) {
      const d = deploymentOf(history, step);
      if (!d || !isRolling(d) || sizeOf(step.object as Set_) <= sizeOf(step.old as Set_ | undefined)) return;
      const total = setsOf(history, d).reduce((sum, { object }) => sum + sizeOf(object), 0);
      const { most } = limits(d);
      if (total > most)
        fail(`${describe(step)} grew to ${sizeOf(step.object as Set_)} at ${step.revision}: ${total} pods of ${most}`);
    },
  }),
};

/** No set shrinks in a rollout so far that fewer pods than `maxUnavailable` promises are sure to stay available. */
export const availabilityHolds: Rule = {
  rule: "max-unavailable-holds",
  start: (scene) => ({
    step(step) {
      const d = deploymentOf(scene.history, step);
      const old = step.old as Set_ | undefined;
      if (!d || !old || !isRolling(d) || d.spec?.paused || sizeOf(step.object as Set_) >= sizeOf(old)) return;
      if (isRescale(scene.history, d, step)) return;
      const before = surviving(scene, d, step, sizeOf(old));
      const after = surviving(scene, d, step, sizeOf(step.object as Set_));
      const { least } = limits(d);
      if (after < before && after < least)
        scene.fail(
          `${describe(step)} shrank to ${sizeOf(step.object as Set_)} at ${step.revision}: ${after} pods stay available of ${before}, ${least} must`,
        );
    },
  }),
};

/** Sets note the size of the Deployment that they were last scaled for. */
function isRescale(history: History, d: Deployment, step: Step): boolean {
  const noted = [
    step.old,
    ...setsOf(history, d)
      .filter(({ object }) => sizeOf(object) > 0)
      .map(({ object }) => object),
  ];
  return noted.some((set) => {
    const desired = set?.metadata?.annotations?.[DESIRED];
    return desired !== undefined && Number(desired) !== wanted(d);
  });
}

/** Pods sure to be available when every set has come to its size; the set of this step to `size`. Unready ones go first. */
function surviving({ history }: Scene, d: Deployment, step: Step, size: number): number {
  let sum = 0;
  for (const { object: set, uid } of setsOf(history, d)) {
    const alive = activePodsOf(history, uid).map(({ object }) => object);
    const seconds = set.spec?.minReadySeconds ?? 0;
    const available = alive.filter((pod) => isPodAvailable(pod, seconds, history.at)).length;
    const unready = alive.filter((pod) => !isPodReady(pod)).length;
    const doomed = Math.max(0, alive.length - (uid === step.uid ? size : sizeOf(set)));
    sum += Math.max(0, available - Math.max(0, doomed - unready));
  }
  return sum;
}

/** Recreate: the first pod of a new template comes after the last one of the old has ended. */
export const recreateWaits: Rule = {
  rule: "recreate-waits",
  start: ({ history, fail }) => ({
    step(step) {
      const d = deploymentOf(history, step);
      if (
        !d ||
        isRolling(d) ||
        d.spec?.paused ||
        sizeOf(step.old as Set_ | undefined) > 0 ||
        sizeOf(step.object as Set_) === 0
      )
        return;
      for (const { uid } of setsOf(history, d)) {
        const left = uid === step.uid ? undefined : podsOf(history, uid).find(({ object }) => !isPodTerminal(object));
        if (left) fail(`${describe(step)} grew at ${step.revision} while ${describe(left)} is there`);
      }
    },
  }),
};

/** A set makes no pod too many, and takes none away that it still wants. */
export const setsCountRight: Rule = {
  rule: "sets-count-right",
  start: ({ history, requests, fail }) => ({
    step(step) {
      if (step.resource !== "pods" || (step.type !== "ADDED" && !isPodMarked(step))) return;
      const owner = controllerOf(step.old ?? step.object);
      const set = owner && history.byUid<AppsV1ReplicaSet>(owner.uid);
      if (set?.resource !== SETS) return;
      const active = activePodsOf(history, set.uid).length;
      const size = sizeOf(set.object);
      if (step.type === "ADDED" && active > size)
        fail(`${describe(step)} was made for ${describe(set)}, which has ${active} of ${size}`);
      if (step.type === "ADDED" || active >= size || isDeletedByOthers(history, requests, step as Step<Pod>)) return;
      fail(`${describe(step)} was taken from ${describe(set)}, which has ${active} of ${size}`);
    },
  }),
};

/**
 * Of its pods a set gives up the least useful first.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-down-a-replicaset
 */
export const scaleDownOrder: Rule = {
  rule: "unready-pods-go-first",
  start: ({ history, requests, fail }) => ({
    step(step) {
      if (!isPodMarked(step) || !isUseful(step.old as Pod)) return;
      const owner = controllerOf(step.old as Pod);
      const set = owner && history.byUid<AppsV1ReplicaSet>(owner.uid);
      if (set?.resource !== SETS || isDeletedByOthers(history, requests, step as Step<Pod>)) return;
      const spared = activePodsOf(history, set.uid).find(({ object }) => !isUseful(object));
      if (spared) fail(`${describe(set)} gave up ${describe(step)}, which is ready, before ${describe(spared)}`);
    },
  }),
};

const isUseful = (pod: Pod): boolean =>
  Boolean(pod.spec.nodeName) && pod.status?.phase === "Running" && isPodReady(pod);
