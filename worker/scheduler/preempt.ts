import { PodDisruptionBudget } from "../kinds/policy/pod-disruption-budget.ts";
import { matchesSelector } from "../lib/selectors.ts";
import { feasibility } from "./choose.ts";
import type { Cluster, Refusal } from "./framework.ts";
import type { PodInfo } from "./pod.ts";
import type { NodeInfo } from "./snapshot.ts";

export type Preemption = { node: string; victims: PodInfo[] };

/** Nodes looked at for one pod; on a larger cluster any of so many will do. */
const MOST_CANDIDATES = 100;

type Candidate = Preemption & { violations: number };

/** Why a pod may not make others leave; undefined when it may. */
export function ineligible(pod: PodInfo, nodes: Cluster["snapshot"]["nodes"]): string | undefined {
  if (pod.pod.spec.preemptionPolicy === "Never") return "preemptionPolicy=Never";
  const nominated = nodes.get(pod.pod.status?.nominatedNodeName ?? "");
  for (const other of nominated?.pods.values() ?? [])
    if (other.leaving && other.priority < pod.priority) return "a terminating pod on the nominated node";
  return undefined;
}

/**
 * The node where the least must leave for this pod to fit.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#preemption
 */
export function preempt(
  pod: PodInfo,
  cluster: Cluster,
  refused: ReadonlyMap<NodeInfo, Refusal>,
): Preemption | undefined {
  const candidates: Candidate[] = [];
  const budgets = new Budgets(cluster);
  for (const [node, { final }] of refused) {
    if (final) continue;
    const candidate = victimsOn(node, pod, cluster, budgets);
    if (candidate) candidates.push(candidate);
    if (candidates.length === MOST_CANDIDATES) break;
  }
  candidates.sort((a, b) => {
    for (const rule of preferences) {
      const order = rule(a) - rule(b);
      if (order !== 0) return order;
    }
    return 0;
  });
  return candidates[0];
}

const startOf = ({ pod }: PodInfo): number =>
  Date.parse(pod.status?.startTime ?? pod.metadata.creationTimestamp ?? "") || 0;
const highest = (victims: readonly PodInfo[]): number => Math.max(...victims.map(({ priority }) => priority));

/** The less, the better; an earlier rule counts before all later ones. */
const preferences: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => highest(victims),
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority, 0),
  ({ victims }) => victims.length,
  // Of the most important victims, those that started last.
  ({ victims }) => -Math.min(...victims.filter(({ priority }) => priority === highest(victims)).map(startOf)),
];

function victimsOn(node: NodeInfo, pod: PodInfo, cluster: Cluster, budgets: Budgets): Candidate | undefined {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority);
  if (lower.length === 0) return undefined;
  const trial = node.clone();
  for (const { uid } of lower) trial.remove(uid);
  const nodes = new Map(cluster.snapshot.nodes).set(node.name, trial);
  const then: Cluster = { view: cluster.view, snapshot: { nodes, affine: cluster.snapshot.affine } };
  const fits = () => feasibility(pod, then, [trial]).feasible.length > 0;
  if (!fits()) return undefined;
  // All but what must go may stay: those whose budget is used up are asked to stay first, then the more important.
  const guarded = budgets.guarded(lower);
  lower.sort(
    (a, b) => Number(guarded.has(b)) - Number(guarded.has(a)) || b.priority - a.priority || startOf(a) - startOf(b),
  );
  const victims = lower.filter((victim) => {
    trial.add(victim);
    if (fits()) return false;
    trial.remove(victim.uid);
    return true;
  });
  return { node: node.name, victims, violations: victims.filter((victim) => guarded.has(victim)).length };
}

class Budgets {
  readonly #all: readonly Readonly<PodDisruptionBudget>[];

  constructor({ view }: Cluster) {
    this.#all = view.list(PodDisruptionBudget);
  }

  /** Those of the pods whose leaving would break a budget, if all left. */
  guarded(pods: readonly PodInfo[]): Set<PodInfo> {
    const left = new Map(this.#all.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
    const guarded = new Set<PodInfo>();
    for (const pod of pods)
      for (const [budget, allowed] of left) {
        if (budget.metadata.namespace !== pod.namespace || !matchesSelector(budget.spec?.selector, pod.labels))
          continue;
        left.set(budget, allowed - 1);
        if (allowed <= 0) guarded.add(pod);
      }
    return guarded;
  }
}
