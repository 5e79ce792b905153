/** What each metric of an autoscaler proposes, and what its status says of it. Words are kube-controller-manager's. */

import type { Pod } from "../../kinds/core/pod.ts";
import type {
  AutoscalingV2MetricSpec,
  AutoscalingV2MetricStatus,
  AutoscalingV2MetricTarget,
  AutoscalingV2MetricValueStatus,
} from "../../kinds/generated/types.ts";
import { formatQuantity, type QuantityFormat } from "../../lib/quantity.ts";
import type { LabelSelector } from "../../lib/selectors.ts";
import {
  byAverage,
  byUtilization,
  byValue,
  byValuePerPod,
  MAX_INT64,
  MetricsError,
  type Proposal,
  type Tolerances,
} from "./calculator.ts";
import type { Answer } from "./metrics.ts";
import { grouped, milli, readyPods, requestsOf, samplesOf } from "./pods.ts";

/** What metrics are judged by. `replicas` are wanted, `running` are there. */
export type Situation = {
  namespace: string;
  replicas: number;
  running: number;
  pods: readonly Readonly<Pod>[];
  tolerances: Tolerances;
  now: number;
};

/** `name` is what events call the metric. */
export type Evaluated = { replicas: number; name: string; status: AutoscalingV2MetricStatus };
/** `message` is for the condition and the event of this reason, `error` for what is told of all metrics together. */
export type Failed = { reason: string; message: string; error: string };

const KINDS = {
  Resource: { reason: "FailedGetResourceMetric", evaluate: resource },
  ContainerResource: { reason: "FailedGetContainerResourceMetric", evaluate: containerResource },
  Pods: { reason: "FailedGetPodsMetric", evaluate: pods },
  Object: { reason: "FailedGetObjectMetric", evaluate: object },
  External: { reason: "FailedGetExternalMetric", evaluate: external },
} as const satisfies Record<string, { reason: string; evaluate: Evaluate }>;

type Evaluate = (spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer) => Evaluated;

/** An error whose wrapping is for what is told of all metrics, and not for the metric's own condition. */
class Wrapped extends MetricsError {
  readonly inner: string;
  constructor(inner: string, prefix: string) {
    super(`${prefix}: ${inner}`);
    this.inner = inner;
  }
}

/** Runs `body`, whose errors are told with this before them. */
function within<T>(prefix: string, body: () => T, isForAll = false): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    throw isForAll ? new Wrapped(error.message, prefix) : new MetricsError(`${prefix}: ${error.message}`);
  }
}

const opening = ({ type, resource, containerResource, external }: AutoscalingV2MetricSpec): string => {
  if (type === "Resource") return `failed to get ${resource?.name} resource metric value`;
  if (type === "ContainerResource") return `failed to get ${containerResource?.container} container metric value`;
  if (type === "External") return `failed to get ${external?.metric.name} external metric value`;
  return type === "Pods" ? "failed to get pods metric value" : "failed to get object metric value";
};

export function evaluate(spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer): Evaluated | Failed {
  const known = (KINDS as Record<string, { reason: string; evaluate: Evaluate } | undefined>)[spec.type];
  if (!known) {
    const message = `unknown metric source type ${JSON.stringify(spec.type)}`;
    return { reason: "InvalidMetricSourceType", message, error: message };
  }
  try {
    return known.evaluate(spec, situation, answer);
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    const message = error instanceof Wrapped ? error.inner : error.message;
    return { reason: known.reason, message, error: `${opening(spec)}: ${error.message}` };
  }
}

/** A quantity of so many thousandths. */
const amount = (thousandths: bigint, format: QuantityFormat = "DecimalSI"): string =>
  formatQuantity({ nano: thousandths * 1_000_000n, format });

const APIS = { resource: "resource metrics API", custom: "custom metrics API", external: "external metrics API" };

/** Throws where nothing came. */
function received<T>(answer: Answer, api: keyof typeof APIS, items: (answer: Answer) => readonly T[] | undefined) {
  if ("failed" in answer) throw new MetricsError(`unable to fetch metrics from ${APIS[api]}: ${answer.failed}`);
  const found = items(answer) ?? [];
  if (found.length === 0) throw new MetricsError(`no metrics returned from ${APIS[api]}`);
  return found;
}

const valuesOf = (answer: Answer) => ("values" in answer ? answer.values : undefined);

function ofResource(
  name: string,
  container: string | undefined,
  target: AutoscalingV2MetricTarget,
  situation: Situation,
  answer: Answer,
): Omit<Evaluated, "status"> & { current: AutoscalingV2MetricValueStatus } {
  const { replicas: now, tolerances, pods: all } = situation;
  const groups = () => {
    const usages = within(`unable to get metrics for resource ${name}`, () =>
      received(answer, "resource", (given) => ("pods" in given ? given.pods : undefined)),
    );
    return grouped(all, samplesOf(usages, name, container), name, situation.now);
  };
  const format = name === "memory" ? "BinarySI" : "DecimalSI";
  const { averageValue, averageUtilization } = target;
  if (averageValue !== undefined) {
    const { replicas, usage } = within(`failed to get ${name} usage`, () =>
      byAverage(now, milli(averageValue), tolerances, groups()),
    );
    return { replicas, name: `${name} resource`, current: { averageValue: amount(usage, format) } };
  }
  if (averageUtilization === undefined)
    throw new MetricsError(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  const { replicas, usage, utilization } = within(`failed to get ${name} utilization`, () =>
    byUtilization(now, averageUtilization, tolerances, groups(), requestsOf(all, name, container)),
  );
  const of = container === undefined ? "resource" : "container resource";
  return {
    replicas,
    name: `${name} ${of} utilization (percentage of request)`,
    current: { averageUtilization: utilization, averageValue: amount(usage, format) },
  };
}

function resource(spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer): Evaluated {
  const { name = "", target } = spec.resource ?? {};
  const { current, ...proposal } = ofResource(name, undefined, target ?? { type: "" }, situation, answer);
  return { ...proposal, status: { type: "Resource", resource: { name, current } } };
}

function containerResource(spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer): Evaluated {
  const { name = "", container = "", target } = spec.containerResource ?? {};
  const { current, ...proposal } = ofResource(name, container, target ?? { type: "" }, situation, answer);
  return { ...proposal, status: { type: "ContainerResource", containerResource: { name, container, current } } };
}

function pods(spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer): Evaluated {
  const { metric = { name: "" }, target } = spec.pods ?? {};
  const values = within(`unable to get metric ${metric.name}`, () => received(answer, "custom", valuesOf));
  const samples = new Map(values.map(({ of, value }) => [of, { amount: milli(value), at: 0, windowMs: 0 }]));
  const groups = grouped(situation.pods, samples, "", situation.now);
  const target_ = milli(target?.averageValue ?? "0");
  const { replicas, usage } = byAverage(situation.replicas, target_, situation.tolerances, groups);
  return {
    replicas,
    name: `pods metric ${metric.name}`,
    status: { type: "Pods", pods: { metric, current: { averageValue: amount(usage) } } },
  };
}

function object(spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer): Evaluated {
  const { metric = { name: "" }, target, describedObject = { kind: "", name: "" } } = spec.object ?? {};
  const { kind, name } = describedObject;
  const measured = (): bigint => {
    if ("failed" in answer) {
      const why = `unable to fetch metrics from ${APIS.custom}: ${answer.failed}`;
      throw new MetricsError(`unable to get metric ${metric.name}: ${why} on ${kind} ${situation.namespace}/${name}`);
    }
    return milli(valuesOf(answer)?.[0]?.value ?? "0");
  };
  const status = (current: AutoscalingV2MetricValueStatus): AutoscalingV2MetricStatus => ({
    type: "Object",
    object: { describedObject, metric, current },
  });
  if (target?.type === "Value" && target.value !== undefined) {
    const { replicas, usage } = whole(situation, measured(), target.value);
    return { replicas, name: `${kind} metric ${metric.name}`, status: status({ value: amount(usage) }) };
  }
  const { averageValue } = target ?? {};
  if (target?.type !== "AverageValue" || averageValue === undefined)
    throw new MetricsError("invalid object metric source: neither a value target nor an average value target was set");
  const { replicas, usage } = within(
    `failed to get ${metric.name} object metric`,
    () => shared(situation, measured(), averageValue),
    true,
  );
  return { replicas, name: named(metric), status: status({ averageValue: amount(usage) }) };
}

function external(spec: AutoscalingV2MetricSpec, situation: Situation, answer: Answer): Evaluated {
  const { metric = { name: "" }, target } = spec.external ?? {};
  const measured = (): bigint =>
    within(
      `unable to get external metric ${situation.namespace}/${metric.name}/${shownSelector(metric.selector)}`,
      () => sum(received(answer, "external", valuesOf).map(({ value }) => milli(value))),
    );
  const status = (current: AutoscalingV2MetricValueStatus): AutoscalingV2MetricStatus => ({
    type: "External",
    external: { metric, current },
  });
  const { averageValue, value } = target ?? {};
  if (averageValue !== undefined) {
    const { replicas, usage } = within(
      `failed to get ${metric.name} external metric`,
      () => shared(situation, measured(), averageValue),
      true,
    );
    return { replicas, name: named(metric), status: status({ averageValue: amount(usage) }) };
  }
  if (value === undefined)
    throw new MetricsError(
      "invalid external metric source: neither a value target nor an average value target was set",
    );
  const { replicas, usage } = within(
    `failed to get external metric ${metric.name}`,
    () => whole(situation, measured(), value),
    true,
  );
  return { replicas, name: named(metric), status: status({ value: amount(usage) }) };
}

const whole = ({ replicas, tolerances, pods: all }: Situation, usage: bigint, target: string): Proposal =>
  byValue(replicas, usage, milli(target), tolerances, () => readyPods(all));

const shared = ({ running, tolerances }: Situation, usage: bigint, target: string): Proposal =>
  byValuePerPod(running, usage, milli(target), tolerances);

function sum(amounts: readonly bigint[]): bigint {
  const all = amounts.reduce((total, one) => total + one, 0n);
  if (all > MAX_INT64) return MAX_INT64;
  return all;
}

const named = ({ name, selector }: { name: string; selector?: LabelSelector }) =>
  `external metric ${name}(${shownSelector(selector)})`;

/** As Go prints it. */
export function shownSelector(selector: LabelSelector | undefined): string {
  if (!selector) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  const shown = labels.map(([key, value]) => `${key}: ${value},`).join("");
  return `&LabelSelector{MatchLabels:map[string]string{${shown}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
