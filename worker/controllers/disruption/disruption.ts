import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodReady, isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { read, same } from "../../kinds/paths.ts";
import { PodDisruptionBudget } from "../../kinds/policy/pod-disruption-budget.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { conditionOf, withCondition } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";
import { controllerOf } from "../owners.ts";

/** An eviction that was granted but did not end in a deletion counts no longer than this. */
const DISRUPTED_MS = 120_000;

type Budget = Readonly<PodDisruptionBudget>;

/**
 * Keeps the count of pods that an eviction may take now, for each PodDisruptionBudget.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets
 */
export const disruptionController: Controller = {
  name: "disruption-controller",
  patient: true,
  watches: [
    watch(PodDisruptionBudget, ownKey),
    watch(Pod, function* (pod, old, view, type) {
      if (type === "MODIFIED" && old && !matters(pod, old)) return;
      for (const budget of view.list(PodDisruptionBudget, pod.metadata.namespace ?? ""))
        if (selects(budget, pod) || (old && selects(budget, old))) yield keyOf(budget);
    }),
    // What a percentage is of.
    watch(ReplicaSet, function* (set, old, view, type) {
      if (type === "MODIFIED" && set.spec.replicas === old?.spec.replicas) return;
      for (const budget of view.list(PodDisruptionBudget, set.metadata.namespace ?? "")) yield keyOf(budget);
    }),
    watch(Deployment, function* (deployment, old, view, type) {
      if (type === "MODIFIED" && deployment.spec.replicas === old?.spec.replicas) return;
      for (const budget of view.list(PodDisruptionBudget, deployment.metadata.namespace ?? "")) yield keyOf(budget);
    }),
  ],
  reconcile(view, key, { now }) {
    const budget = view.get(PodDisruptionBudget, ...splitKey(key));
    if (!budget) return [];
    const pods = view
      .list(Pod, budget.metadata.namespace ?? "")
      .filter((pod) => selects(budget, pod) && !isPodTerminal(pod));
    const disruptedPods = stillDisrupted(budget, pods, now);
    const status = { ...statusOf(view, budget, pods, disruptedPods, now) };
    const intents: Intent[] = [];
    if (!same(status, budget.status))
      intents.push({
        do: "updateStatus",
        kind: PodDisruptionBudget,
        object: { ...budget, status } as PodDisruptionBudget,
      });
    const times = Object.values(disruptedPods).map((time) => Date.parse(time) + DISRUPTED_MS - now);
    if (times.length > 0) intents.push({ do: "again", afterMs: Math.min(...times) });
    return intents;
  },
};

const selects = (budget: Budget, pod: Readonly<Pod>): boolean =>
  matchesSelector(budget.spec?.selector, pod.metadata.labels);

const matters = (pod: Readonly<Pod>, old: Readonly<Pod>): boolean =>
  isPodReady(pod) !== isPodReady(old) ||
  isPodTerminal(pod) !== isPodTerminal(old) ||
  pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
  !same(pod.metadata.labels, old.metadata.labels);

function stillDisrupted(budget: Budget, pods: readonly Readonly<Pod>[], now: number): Record<string, string> {
  const waiting = new Set(pods.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => pod.metadata.name));
  const entries = Object.entries(budget.status?.disruptedPods ?? {});
  return Object.fromEntries(
    entries.filter(([name, time]) => waiting.has(name) && Date.parse(time) + DISRUPTED_MS > now),
  );
}

function statusOf(
  view: View,
  budget: Budget,
  pods: readonly Readonly<Pod>[],
  disruptedPods: Record<string, string>,
  now: number,
): PodDisruptionBudget["status"] {
  const { expectedPods, desiredHealthy } = wanted(view, budget, pods);
  const currentHealthy = pods.filter(
    (pod) => isPodReady(pod) && !pod.metadata.deletionTimestamp && !((pod.metadata.name ?? "") in disruptedPods),
  ).length;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const allowed = {
    type: "DisruptionAllowed",
    status: disruptionsAllowed > 0 ? "True" : "False",
    reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
    message: "",
    observedGeneration: budget.metadata.generation,
  };
  const known = conditionOf(budget.status?.conditions, allowed.type);
  return {
    conditions: withCondition(
      budget.status?.conditions,
      { lastTransitionTime: known?.lastTransitionTime ?? "", ...allowed },
      now,
    ),
    currentHealthy,
    desiredHealthy,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    disruptionsAllowed,
    expectedPods,
    observedGeneration: budget.metadata.generation,
  };
}

/** How many pods there should be, and how many of them must stay healthy. */
function wanted(view: View, { spec }: Budget, pods: readonly Readonly<Pod>[]) {
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const expectedPods = expectedScale(view, pods);
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - amount(maxUnavailable, expectedPods)) };
  }
  if (typeof minAvailable === "number") return { expectedPods: pods.length, desiredHealthy: minAvailable };
  const expectedPods = expectedScale(view, pods);
  return { expectedPods, desiredHealthy: amount(minAvailable ?? 1, expectedPods) };
}

/** Percentages round up, in both directions of the budget. */
const amount = (value: string | number, of: number): number =>
  typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * of) / 100);

/** The sum of `spec.replicas` of the workloads that the pods belong to; pods without one count for nothing. */
function expectedScale(view: View, pods: readonly Readonly<Pod>[]): number {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const top = topController(view, pod);
    if (top) scales.set(top.uid, top.replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** The controller of the controller, where there is one: a Deployment rather than its ReplicaSets. */
function topController(view: View, pod: Readonly<Pod>): { uid: string; replicas: number } | undefined {
  const namespace = pod.metadata.namespace ?? "";
  let found: { uid: string; replicas: number } | undefined;
  let owner = controllerOf(pod);
  while (owner) {
    const kind = view.kind(owner.apiVersion, owner.kind);
    const object = kind && view.get(kind, kind.namespaced ? namespace : "", owner.name);
    if (object?.metadata?.uid !== owner.uid) break;
    const replicas = read(object, "spec.replicas");
    if (typeof replicas === "number") found = { uid: owner.uid, replicas };
    owner = controllerOf(object);
  }
  return found;
}
