import { Pod } from "../kinds/core/pod.ts";
import { PodDisruptionBudget } from "../kinds/policy/pod-disruption-budget.ts";
import { matchesSelector } from "../lib/selectors.ts";
import { feasibility } from "./choose.ts";
import type { Cluster, Nodes, Refusal } from "./framework.ts";
import type { Placed, PodInfo } from "./pod.ts";
import type { NodeInfo } from "./snapshot.ts";

/** A pod that would have to leave. */
export type Victim = Placed & { pod: Readonly<Pod> };

export type Preemption = { node: string; victims: Victim[] };

/** Nodes looked at for one pod; on a larger cluster any of so many will do. */
const MOST_CANDIDATES = 100;

type Candidate = Preemption & { violations: number };

/** Why a pod may not make others leave; undefined when it may. */
export function ineligible(pod: PodInfo, nodes: Cluster["snapshot"]["nodes"]): string | undefined {
  if (pod.pod.spec.preemptionPolicy === "Never") return "preemptionPolicy=Never";
  const nominated = nodes.get(pod.pod.status?.nominatedNodeName ?? "");
  for (const other of nominated?.pods.values() ?? [])
    if (other.traits.leaving && other.traits.priority < pod.priority) return "a terminating pod on the nominated node";
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

const startOf = ({ pod }: Victim): number =>
  Date.parse(pod.status?.startTime ?? pod.metadata.creationTimestamp ?? "") || 0;
const priorityOf = ({ traits }: Victim): number => traits.priority;
const highest = (victims: readonly Victim[]): number => Math.max(...victims.map(priorityOf));

/** The less, the better; an earlier rule counts before all later ones. */
const preferences: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => highest(victims),
  ({ victims }) => victims.reduce((sum, victim) => sum + priorityOf(victim), 0),
  ({ victims }) => victims.length,
  // Of the most important victims, those that started last.
  ({ victims }) => -Math.min(...victims.filter((victim) => priorityOf(victim) === highest(victims)).map(startOf)),
];

function victimsOn(node: NodeInfo, pod: PodInfo, cluster: Cluster, budgets: Budgets): Candidate | undefined {
  if (![...node.pods.values()].some(({ traits }) => traits.priority < pod.priority)) return undefined;
  const lower: Victim[] = cluster.view.onNode(Pod, node.name).flatMap((other) => {
    const placed = node.pods.get(other.metadata.uid ?? "");
    return placed && placed.traits.priority < pod.priority ? [{ ...placed, pod: other }] : [];
  });
  const trial = node.clone();
  for (const { uid } of lower) trial.remove(uid);
  const then: Cluster = { view: cluster.view, snapshot: withTrial(cluster.snapshot, trial) };
  const fits = () => feasibility(pod, then, [trial]).feasible.length > 0;
  if (!fits()) return undefined;
  // All but what must go may stay: those whose budget is used up are asked to stay first, then the more important.
  const guarded = budgets.guarded(lower);
  lower.sort(
    (a, b) =>
      Number(guarded.has(b)) - Number(guarded.has(a)) || priorityOf(b) - priorityOf(a) || startOf(a) - startOf(b),
  );
  const victims = lower.filter((victim) => {
    trial.add(victim);
    if (fits()) return false;
    trial.remove(victim.uid);
    return true;
  });
  return { node: node.name, victims, violations: victims.filter((victim) => guarded.has(victim)).length };
}

/** The nodes with `trial` in the place of the node of its name. */
const withTrial = (real: Nodes, trial: NodeInfo): Nodes => ({
  nodes: real.nodes,
  affine: real.affine,
  domains: (key) => real.domains(key),
  visit(matches, visit) {
    real.visit(matches, (node, count, traits) => node.name !== trial.name && visit(node, count, traits));
    for (const { traits } of trial.pods.values()) if (matches(traits)) visit(trial, 1, traits);
  },
});

class Budgets {
  readonly #all: readonly Readonly<PodDisruptionBudget>[];

  constructor({ view }: Cluster) {
    this.#all = view.list(PodDisruptionBudget);
  }

  /** Those of the pods whose leaving would break a budget, if all left. */
  guarded(pods: readonly Victim[]): Set<Victim> {
    const left = new Map(this.#all.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
    const guarded = new Set<Victim>();
    for (const pod of pods)
      for (const [budget, allowed] of left) {
        if (
          budget.metadata.namespace !== pod.traits.namespace ||
          !matchesSelector(budget.spec?.selector, pod.traits.labels)
        )
          continue;
        left.set(budget, allowed - 1);
        if (allowed <= 0) guarded.add(pod);
      }
    return guarded;
  }
}
