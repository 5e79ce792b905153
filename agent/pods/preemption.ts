/**
 * Whom a node ends to make room for a pod that the system needs, and that the scheduler did not place.
 * https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/
 */
import { podRequests, type QosClass } from "../../worker/kinds/core/pod-resources.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { milliValue, wholeValue, ZERO } from "../../worker/lib/quantity.ts";
import type { Lack } from "./admission.ts";
import type { Ended } from "./memory.ts";
import { isCritical, qosOf } from "./resources.ts";

const MESSAGE = "Preempted in order to admit critical pod";

export const preempted: Ended = {
  reason: "Preempting",
  message: MESSAGE,
  disruption: {
    reason: "TerminationByKubelet",
    message: "Pod was preempted by Kubelet to accommodate a critical pod.",
  },
};

/** Undefined when ending all that may be ended were not enough. As few as possible, the least guaranteed first. */
export function podsToPreempt(
  pod: CoreV1Pod,
  others: readonly CoreV1Pod[],
  lacks: readonly Lack[],
): CoreV1Pod[] | undefined {
  const candidates = others.filter((other) => mayPreempt(pod, other));
  if (without(lacks, candidates).length) return undefined;
  const of = (qos: QosClass) => candidates.filter((other) => qosOf(other) === qos);
  const [bestEffort, burstable] = [of("BestEffort"), of("Burstable")];
  // What those of a class have to give back is what all of the classes below could not.
  const guaranteed = nearest(of("Guaranteed"), without(lacks, [...bestEffort, ...burstable]));
  const middle = nearest(burstable, without(lacks, [...bestEffort, ...guaranteed]));
  return [...nearest(bestEffort, without(lacks, [...middle, ...guaranteed])), ...middle, ...guaranteed];
}

function mayPreempt(pod: CoreV1Pod, other: CoreV1Pod): boolean {
  if (isCritical(pod) && !isCritical(other)) return true;
  const [own, its] = [pod.spec.priority, other.spec.priority];
  return own !== undefined && its !== undefined && own > its;
}

function requestOf(pod: CoreV1Pod, name: string): number {
  if (name === "pods") return 1;
  return (name === "cpu" ? milliValue : wholeValue)(podRequests(pod)[name] ?? ZERO);
}

/** What is still lacking without these pods. */
const without = (lacks: readonly Lack[], pods: readonly CoreV1Pod[]): Lack[] =>
  lacks.flatMap(({ name, amount }) => {
    const left = pods.reduce((rest, pod) => rest - requestOf(pod, name), amount);
    return left > 0 ? [{ name, amount: left }] : [];
  });

/** One after the other, the one that comes nearest to what is lacking, of two the smaller one. */
function nearest(pods: readonly CoreV1Pod[], lacks: readonly Lack[]): CoreV1Pod[] {
  const left = [...pods];
  const chosen: CoreV1Pod[] = [];
  for (let rest = lacks; rest.length > 0 && left.length > 0; rest = without(rest, chosen.slice(-1))) {
    const rows = left.map((pod) => ({ pod, distance: distance(pod, rest) }));
    rows.sort((a, b) => a.distance - b.distance || smaller(a.pod, b.pod));
    const best = rows[0]?.pod;
    if (!best) break;
    chosen.push(best);
    left.splice(left.indexOf(best), 1);
  }
  return chosen;
}

/** How much of each resource would still be lacking, each counting alike. */
const distance = (pod: CoreV1Pod, lacks: readonly Lack[]): number =>
  lacks.reduce((sum, { name, amount }) => sum + (Math.max(amount - requestOf(pod, name), 0) / amount) ** 2, 0);

const smaller = (a: CoreV1Pod, b: CoreV1Pod): number =>
  requestOf(a, "memory") - requestOf(b, "memory") || requestOf(a, "cpu") - requestOf(b, "cpu");
