/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets */
import type { PolicyV1PodDisruptionBudget } from "../../../worker/kinds/generated/types.ts";
import { same } from "../../../worker/kinds/paths.ts";
import { matchesSelector } from "../../../worker/lib/selectors.ts";
import { controllerOf, describe, type History, type Step } from "./history.ts";
import { EVICTION_GRACE_SECONDS } from "./marker.ts";
import { isPodMarked, isPodReady, isPodTerminal, type Pod } from "./pods.ts";
import type { Rule, Scene } from "./rule.ts";

export type Budget = Readonly<PolicyV1PodDisruptionBudget>;

/** Budgets follow losses as soon as their controller runs; an eviction may come in between. */
const LAG_MS = 2000;
const RESOURCE = "poddisruptionbudgets.policy";

/** An eviction takes only what a budget has to spare, and is written down there. */
export const budgetsHold: Rule = {
  rule: "budgets-hold",
  start(scene) {
    const { history } = scene;
    /** When pods or wishes last changed without an eviction's doing, by namespace. */
    const unrest = new Map<string, number>();
    return {
      step(step) {
        if (isPodMarked(step) && isEviction(step as Step<Pod>)) return checkEviction(scene, step as Step<Pod>, unrest);
        if (step.resource === "pods" ? isLoss(step as Step<Pod>) : SHAPING.has(step.resource))
          unrest.set(step.namespace, history.at);
      },
    };
  },
};

const SHAPING = new Set([RESOURCE, "deployments.apps", "replicasets.apps", "statefulsets.apps"]);

const isEviction = ({ object, type }: Step<Pod>): boolean =>
  type !== "DELETED" && object.metadata.deletionGracePeriodSeconds === EVICTION_GRACE_SECONDS;

const isHealthy = (pod: Pod): boolean => isPodReady(pod) && !isPodTerminal(pod) && !pod.metadata.deletionTimestamp;
const isLoss = ({ old, object, type }: Step<Pod>): boolean =>
  old === undefined ||
  (isHealthy(old) && (type === "DELETED" || !isHealthy(object))) ||
  !same(old.metadata.labels, object.metadata.labels);

export function budgetsOf(history: History, namespace: string, pod: Pod): Budget[] {
  return history
    .objects<PolicyV1PodDisruptionBudget>(RESOURCE, namespace)
    .filter(({ spec }) => matchesSelector(spec?.selector, pod.metadata.labels));
}

function checkEviction({ history, fail }: Scene, step: Step<Pod>, unrest: ReadonlyMap<string, number>): void {
  const pod = step.old as Pod;
  if (isPodTerminal(pod) || pod.status?.phase === "Pending") return;
  const [budget, ...others] = budgetsOf(history, step.namespace, pod);
  if (others.length > 0) fail(`${describe(step)} was evicted and has ${others.length + 1} budgets`);
  if (!budget) return;
  const left = budget.status?.disruptionsAllowed ?? 0;
  if (left < 0) fail(`${describe(step)} was evicted at ${step.revision}, and ${budget.metadata?.name} is at ${left}`);
  const { desired, healthy } = countOf(history, budget);
  if (
    !isPodReady(pod) &&
    (budget.spec?.unhealthyPodEvictionPolicy === "AlwaysAllow" || (desired > 0 && healthy >= desired))
  )
    return;
  const isNoted = budget.status?.disruptedPods?.[step.name] !== undefined;
  const isRestless = history.at - (unrest.get(step.namespace) ?? Number.NEGATIVE_INFINITY) <= LAG_MS;
  // An unready pod may go while the budget thinks that enough are healthy.
  if (!isNoted && isPodReady(pod))
    fail(`${describe(step)} was evicted at ${step.revision}, and ${budget.metadata?.name} does not know`);
  if (healthy < desired && !isRestless)
    fail(`${describe(step)} was evicted at ${step.revision}: ${healthy} healthy of ${desired}`);
}

/** What a budget says that it has and needs is so at each moment at which it is said. */
export const budgetsAreCounted: Rule = {
  rule: "budgets-are-counted-right",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== RESOURCE || step.type === "DELETED") return;
      const { currentHealthy, desiredHealthy, observedGeneration } = (step.object as Budget).status ?? {};
      const before = (step.old as Budget | undefined)?.status;
      if (observedGeneration === undefined) return; // nobody has counted yet
      if (currentHealthy === before?.currentHealthy && desiredHealthy === before?.desiredHealthy) return;
      const problem = miscount(history, step.object as Budget);
      if (problem) fail(`${describe(step)} at ${step.revision} ${problem}`);
    },
  }),
};

/** What is wrong with the numbers of a budget's status; undefined when they are right. */
export function miscount(history: History, budget: Budget): string | undefined {
  const { desired, healthy } = countOf(history, budget);
  const { desiredHealthy, currentHealthy } = budget.status ?? {};
  if (desiredHealthy === desired && currentHealthy === healthy) return undefined;
  return `says ${currentHealthy} of ${desiredHealthy} are healthy, and ${healthy} of ${desired} are`;
}

/** What a budget protects, and has. */
export function countOf(history: History, { spec, metadata, status }: Budget): { desired: number; healthy: number } {
  const pods = history
    .objects<Pod>("pods", metadata?.namespace ?? "")
    .filter((pod) => matchesSelector(spec?.selector, pod.metadata.labels) && !isPodTerminal(pod));
  const disrupted = status?.disruptedPods ?? {};
  const healthy = pods.filter((pod) => isHealthy(pod) && !((pod.metadata.name ?? "") in disrupted)).length;
  const share = (value: string | number, of: number) =>
    typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * of) / 100);
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const expected = expectedOf(history, pods);
    return { desired: Math.max(0, expected - share(maxUnavailable, expected)), healthy };
  }
  if (typeof minAvailable === "number") return { desired: minAvailable, healthy };
  return { desired: share(minAvailable ?? 1, expectedOf(history, pods)), healthy };
}

/** The sizes of the pods' workloads, each once. */
function expectedOf(history: History, pods: readonly Pod[]): number {
  const sizes = new Map<string, number>();
  for (const pod of pods) {
    let top: { uid: string; size: number } | undefined;
    for (let owner = controllerOf(pod); owner; ) {
      const entry = history.byUid(owner.uid);
      const size = (entry?.object as { spec?: { replicas?: number } } | undefined)?.spec?.replicas;
      if (entry && size !== undefined) top = { uid: entry.uid, size };
      owner = entry && controllerOf(entry.object);
    }
    if (top) sizes.set(top.uid, top.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
