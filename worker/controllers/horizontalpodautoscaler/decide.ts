/** One look of an autoscaler: from what there is to what is to be, in the order and the words of kube-controller-manager. */
import type { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type {
  AutoscalingV2MetricStatus,
  AutoscalingV2HorizontalPodAutoscalerStatus as Status,
} from "../../kinds/generated/types.ts";
import { timestamp } from "../../lib/effects.ts";
import { parseQuantity } from "../../lib/quantity.ts";
import { parseLabelSelector } from "../../lib/selector-parser.ts";
import { matchesRequirements, type Requirement, SelectorError } from "../../lib/selectors.ts";
import { withCondition } from "../conditions.ts";
import type { View } from "../controller.ts";
import { keyOf } from "../keys.ts";
import type { Tolerances } from "./calculator.ts";
import { evaluate } from "./evaluate.ts";
import { limit } from "./limits.ts";
import type { Memory } from "./memory.ts";
import { type Answers, identityOf, questionOf } from "./metrics.ts";
import { rivals } from "./rivals.ts";
import type { Target } from "./target.ts";

export type Warning = { reason: string; message: string };

/** `rescale` is there where the target is to change. */
export type Decision = {
  status: Status;
  warnings: readonly Warning[];
  memory: Memory;
  rescale?: { replicas: number; reason: string };
};

type Look = {
  view: View;
  hpa: Readonly<HorizontalPodAutoscaler>;
  target: Target;
  answers: Answers;
  memory: Memory;
  now: number;
};

const DEFAULT_TOLERANCE = 0.1;

type Conditions = Status["conditions"];
type Verdict = { reason: string; message: string };

export const withVerdict = (
  conditions: Conditions,
  type: string,
  status: "True" | "False",
  { reason, message }: Verdict,
  now: number,
): Conditions => withCondition(conditions, { type, status, reason, message }, now);

/** Whether replicas follow from metrics, rather than from the bounds alone. */
export function needsMetrics({ spec }: Readonly<HorizontalPodAutoscaler>, { scale }: Target): boolean {
  const { minReplicas = 1, maxReplicas } = spec;
  return (scale.replicas > 0 || minReplicas === 0) && scale.replicas >= minReplicas && scale.replicas <= maxReplicas;
}

/** The target cannot be read. */
export function untargeted(
  { status }: Readonly<HorizontalPodAutoscaler>,
  why: string,
  now: number,
): Omit<Decision, "memory"> {
  const message = `the HPA controller was unable to get the target's current scale: ${why}`;
  const verdict = { reason: "FailedGetScale", message };
  const conditions = withVerdict(status?.conditions, "AbleToScale", "False", verdict, now);
  return {
    status: { ...status, desiredReplicas: status?.desiredReplicas ?? 0, conditions },
    warnings: [{ reason: "FailedGetScale", message: why }],
  };
}

const READ: Verdict = {
  reason: "SucceededGetScale",
  message: "the HPA controller was able to get the target's current scale",
};
const DISABLED: Verdict = {
  reason: "ScalingDisabled",
  message: "scaling is disabled since the replica count of the target is zero",
};

export function decide(look: Look): Decision {
  const { hpa, target, memory, now } = look;
  const { minReplicas = 1, maxReplicas } = hpa.spec;
  const current = target.scale.replicas;
  const conditions = withVerdict(hpa.status?.conditions, "AbleToScale", "True", READ, now);
  if (needsMetrics(hpa, target)) return byMetrics(look, conditions);
  if (current === 0)
    return {
      status: statusOf(hpa, 0, 0, null, withVerdict(conditions, "ScalingActive", "False", DISABLED, now)),
      warnings: [],
      memory,
    };
  const isAbove = current > maxReplicas;
  const reason = `Current number of replicas ${isAbove ? "above Spec.MaxReplicas" : "below Spec.MinReplicas"}`;
  return rescaled(hpa, current, isAbove ? maxReplicas : minReplicas, reason, null, conditions, [], memory, now);
}

/** As it is told. Of metrics that are not known there is an entry that says nothing. */
function statusOf(
  { status }: Readonly<HorizontalPodAutoscaler>,
  currentReplicas: number,
  desiredReplicas: number,
  currentMetrics: AutoscalingV2MetricStatus[] | null,
  conditions: Conditions,
): Status {
  const { lastScaleTime } = status ?? {};
  return { ...(lastScaleTime && { lastScaleTime }), currentReplicas, desiredReplicas, currentMetrics, conditions };
}

function rescaled(
  hpa: Readonly<HorizontalPodAutoscaler>,
  current: number,
  replicas: number,
  reason: string,
  metrics: AutoscalingV2MetricStatus[] | null,
  conditions: Conditions,
  warnings: readonly Warning[],
  memory: Memory,
  now: number,
): Decision {
  const message = `the HPA controller was able to update the target scale to ${replicas}`;
  const told = withVerdict(conditions, "AbleToScale", "True", { reason: "SucceededRescale", message }, now);
  const status = { ...statusOf(hpa, current, replicas, metrics, told), lastScaleTime: timestamp(now) };
  return { status, warnings, memory, rescale: { replicas, reason } };
}

function byMetrics(look: Look, before: Conditions): Decision {
  const { hpa, target, memory, now } = look;
  const { minReplicas = 1, maxReplicas, behavior } = hpa.spec;
  const current = target.scale.replicas;
  const computed = compute(look, before);
  const { warnings, metrics } = computed;
  if (computed.error !== undefined) {
    const status = statusOf(hpa, current, hpa.status?.desiredReplicas ?? 0, metrics, computed.conditions);
    const failed = { reason: "FailedComputeMetricsReplicas", message: computed.error };
    return { status, warnings: [...warnings, failed], memory };
  }
  const { replicas: desired, name } = computed;
  const bounds = { min: minReplicas, max: maxReplicas };
  const limited = limit(memory, behavior, bounds, current, desired, now);
  const { replicas, stabilized, limited: verdict } = limited;
  let conditions = withVerdict(computed.conditions, "AbleToScale", "True", stabilized, now);
  conditions = withVerdict(conditions, "ScalingLimited", verdict.isLimited ? "True" : "False", verdict, now);
  if (replicas === current)
    return { status: statusOf(hpa, current, current, metrics, conditions), warnings, memory: limited.memory };
  const above = desired > current ? `${name} above target` : "";
  const reason = desired < current ? "All metrics below target" : above;
  return rescaled(hpa, current, replicas, reason, metrics, conditions, warnings, limited.memory, now);
}

type Computed = {
  conditions: Conditions;
  warnings: readonly Warning[];
  metrics: AutoscalingV2MetricStatus[] | null;
} & ({ error: string } | { error?: undefined; replicas: number; name: string });

/** The most that any metric asks for. Where one is not known, the others may still ask for more. */
function compute(look: Look, conditions: Conditions): Computed {
  const { view, hpa, target, answers, now } = look;
  const { namespace = "" } = hpa.metadata;
  const { metrics: specs = [] } = hpa.spec;
  const { replicas: current, statusReplicas, selector } = target.scale;
  const selected = select(look);
  if ("refused" in selected) {
    const { refused, condition } = selected;
    const inactive = withVerdict(conditions, "ScalingActive", "False", condition, now);
    return { conditions: inactive, warnings: [refused], metrics: null, error: refused.message };
  }
  const situation = {
    namespace,
    replicas: current,
    running: statusReplicas,
    pods: selected.pods,
    tolerances: tolerancesOf(hpa),
    now,
  };
  let best = { replicas: 0, name: "" };
  const warnings: (Warning & { error: string })[] = [];
  const metrics = specs.map((spec): AutoscalingV2MetricStatus => {
    const question = questionOf(view, spec, namespace, selector);
    const answer = "failed" in question ? question : answers.get(identityOf(question));
    const found = evaluate(spec, situation, answer ?? { failed: "nothing was asked" });
    if ("error" in found) {
      warnings.push(found);
      return { type: "" };
    }
    if (best.replicas === 0 || found.replicas > best.replicas) best = found;
    return found.status;
  });
  const [first] = warnings;
  if (first && (warnings.length >= specs.length || best.replicas < current)) {
    const message = `the HPA was unable to compute the replica count: ${first.message}`;
    const inactive = withVerdict(conditions, "ScalingActive", "False", { reason: first.reason, message }, now);
    const counted = `${warnings.length} invalid out of ${specs.length}`;
    const error = `invalid metrics (${counted}), first error is: ${first.error}`;
    return { conditions: inactive, warnings, metrics, error };
  }
  const { replicas, name } = best;
  const message = `the HPA was able to successfully calculate a replica count from ${name}`;
  const active = withVerdict(conditions, "ScalingActive", "True", { reason: "ValidMetricFound", message }, now);
  return { conditions: active, warnings, metrics, replicas, name };
}

type Selected = { pods: readonly Readonly<Pod>[] } | { refused: Warning; condition: Verdict };

/** The target's pods, where they are this autoscaler's alone. */
function select({ view, hpa, target }: Look): Selected {
  const { selector } = target.scale;
  if (selector === "")
    return {
      refused: { reason: "SelectorRequired", message: "selector is required" },
      condition: { reason: "InvalidSelector", message: "the HPA target's scale is missing a selector" },
    };
  let requirements: readonly Requirement[];
  try {
    requirements = parseLabelSelector(selector);
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    const message = `couldn't convert selector into a corresponding internal selector object: ${error.message}`;
    return { refused: { reason: "InvalidSelector", message }, condition: { reason: "InvalidSelector", message } };
  }
  const pods = view
    .list(Pod, hpa.metadata.namespace)
    .filter(({ metadata }) => matchesRequirements(requirements, metadata.labels));
  const others = rivals(view, hpa, pods);
  if (others.length === 0) return { pods };
  const all = [keyOf(hpa), ...others].toSorted().join(" ");
  const refused = {
    reason: "AmbiguousSelector",
    message: `pods by selector ${selector} are controlled by multiple HPAs: [${all}]`,
  };
  return { refused, condition: refused };
}

function tolerancesOf({ spec }: Readonly<HorizontalPodAutoscaler>): Tolerances {
  const share = (quantity: string | undefined) =>
    quantity === undefined ? DEFAULT_TOLERANCE : Number(parseQuantity(String(quantity)).nano) / 1e9;
  return { up: share(spec.behavior?.scaleUp?.tolerance), down: share(spec.behavior?.scaleDown?.tolerance) };
}
