/**
 * How far a recommendation is followed at once: stabilization, then rates, then the bounds.
 * https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
import type {
  AutoscalingV2HorizontalPodAutoscalerBehavior as Behavior,
  AutoscalingV2HPAScalingRules as Rules,
} from "../../kinds/generated/types.ts";
import { changedWithin, type Memory, recommended } from "./memory.ts";

const SECOND_MS = 1000;
/** kube-controller-manager's default. */
const DOWN_WINDOW_MS = 5 * 60_000;
/** Without a behavior, replicas grow to twice as many at once, or to so many. */
const GROWTH = 2;
const GROWTH_LEAST = 4;

export type Bounds = { min: number; max: number };
type Verdict = { reason: string; message: string };
/** `stabilized` and `limited` are what the conditions AbleToScale and ScalingLimited say. */
export type Limited = {
  replicas: number;
  stabilized: Verdict;
  limited: Verdict & { isLimited: boolean };
  memory: Memory;
};

const READY: Verdict = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const UP_STABILIZED: Verdict = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const DOWN_STABILIZED: Verdict = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const WITHIN: Verdict = {
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};
const FASTER_UP: Verdict = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const FASTER_DOWN: Verdict = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};
const TOO_MANY: Verdict = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const TOO_FEW: Verdict = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};

/** What becomes of a wish for `desired` replicas where there are `current`. */
export function limit(
  memory: Memory,
  behavior: Behavior | undefined,
  bounds: Bounds,
  current: number,
  desired: number,
  now: number,
): Limited {
  if (!behavior) {
    const past = memory.recommendations.filter(({ at }) => at >= now - DOWN_WINDOW_MS);
    const wanted = Math.max(desired, ...past.map(({ replicas }) => replicas));
    const stabilized = wanted === desired ? READY : DOWN_STABILIZED;
    const kept = recommended(memory, desired, now, DOWN_WINDOW_MS);
    return { ...judged(wanted, plainly(bounds, current, wanted)), stabilized, memory: kept };
  }
  const wanted = stabilize(memory, behavior, current, desired, now);
  const stabilized = wanted === desired ? READY : desired >= current ? UP_STABILIZED : DOWN_STABILIZED;
  const keptMs = Math.max(upWindow(behavior), downWindow(behavior));
  const kept = recommended(memory, desired, now, keptMs);
  return { ...judged(wanted, byRates(memory, behavior, bounds, current, wanted, now)), stabilized, memory: kept };
}

type Bounded = { replicas: number; verdict: Verdict };

const judged = (wanted: number, { replicas, verdict }: Bounded) => ({
  replicas,
  limited: { ...verdict, isLimited: replicas !== wanted },
});

function plainly({ min, max }: Bounds, current: number, wanted: number): Bounded {
  const growth = Math.max(GROWTH * current, GROWTH_LEAST);
  const most = Math.min(max, growth);
  if (wanted < min) return { replicas: min, verdict: TOO_FEW };
  if (wanted > most) return { replicas: most, verdict: max > growth ? FASTER_UP : TOO_MANY };
  return { replicas: wanted, verdict: WITHIN };
}

const upWindow = ({ scaleUp }: Behavior) => (scaleUp?.stabilizationWindowSeconds ?? 0) * SECOND_MS;
const downWindow = ({ scaleDown }: Behavior) => {
  const seconds = scaleDown?.stabilizationWindowSeconds;
  return seconds === undefined ? DOWN_WINDOW_MS : seconds * SECOND_MS;
};

/** Goes no further up than the lowest of recent recommendations, and no further down than the highest. */
function stabilize(memory: Memory, behavior: Behavior, current: number, desired: number, now: number): number {
  const since = (ms: number) =>
    memory.recommendations.filter(({ at }) => at > now - ms).map(({ replicas }) => replicas);
  const up = Math.min(desired, ...since(upWindow(behavior)));
  const down = Math.max(desired, ...since(downWindow(behavior)));
  return Math.min(Math.max(current, up), down);
}

function byRates(
  memory: Memory,
  { scaleUp = {}, scaleDown = {} }: Behavior,
  { min, max }: Bounds,
  current: number,
  wanted: number,
  now: number,
): Bounded {
  if (wanted > current) {
    const rate = Math.max(current, reach(memory, scaleUp, current, now, 1));
    const most = Math.min(max, rate);
    if (wanted > most) return { replicas: most, verdict: max > rate ? FASTER_UP : TOO_MANY };
  } else if (wanted < current) {
    const rate = Math.min(current, reach(memory, scaleDown, current, now, -1));
    const least = Math.max(min, rate);
    if (wanted < least) return { replicas: least, verdict: min < rate ? FASTER_DOWN : TOO_FEW };
  }
  return { replicas: wanted, verdict: WITHIN };
}

/** How far policies let it go up (1) or down (-1), from what there was when their periods began. */
function reach(memory: Memory, rules: Rules, current: number, now: number, direction: 1 | -1): number {
  const { selectPolicy = "Max", policies = [] } = rules;
  if (selectPolicy === "Disabled" || policies.length === 0) return current;
  const reached = policies.map(({ type, value, periodSeconds }) => {
    const ms = periodSeconds * SECOND_MS;
    const began = current - changedWithin(memory.ups, ms, now) + changedWithin(memory.downs, ms, now);
    if (type === "Pods") return began + direction * value;
    const share = began * (1 + (direction * value) / 100);
    return direction === 1 ? Math.ceil(share) : Math.trunc(share);
  });
  const isHighest = (selectPolicy === "Min") === (direction === -1);
  return isHighest ? Math.max(...reached) : Math.min(...reached);
}

/** How long changes in a direction are remembered, ms. */
export const longestPeriod = (rules: Rules | undefined): number =>
  Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds)) * SECOND_MS;
