import { dnsLabelProblems, pathSegmentProblems } from "../../lib/names.ts";
import { formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  AutoscalingV2CrossVersionObjectReference,
  AutoscalingV2HorizontalPodAutoscalerSpec,
  AutoscalingV2HPAScalingRules,
  AutoscalingV2MetricSpec,
  AutoscalingV2MetricTarget,
} from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { validateContainerResourceName } from "./resources.ts";

/** https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/ */
type Spec = AutoscalingV2HorizontalPodAutoscalerSpec;

/** What an object that was stored may keep: a target without a group. */
export type Lenient = { target: boolean; objects: boolean };

/** Whether an update leaves the kind of the target as it was. */
export const keepsTarget = (next: Partial<Spec> | undefined, before: Partial<Spec> | undefined): boolean =>
  next?.scaleTargetRef?.apiVersion === before?.scaleTargetRef?.apiVersion &&
  next?.scaleTargetRef?.kind === before?.scaleTargetRef?.kind;

const STRICT: Lenient = { target: false, objects: false };

export function* validateAutoscaler(spec: Partial<Spec> = {}, lenient = STRICT): Problems {
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior } = spec;
  if (minReplicas !== undefined && minReplicas < 1)
    yield invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1");
  if (maxReplicas < 1) yield invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0");
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    yield invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`");
  // Of what is in the core group, only these can be scaled.
  const mayBeCore = scaleTargetRef?.kind === "ReplicationController";
  yield* validateReference(scaleTargetRef, "spec.scaleTargetRef", lenient.target, mayBeCore);
  for (const [index, metric] of metrics.entries())
    yield* validateMetric(metric, `spec.metrics[${index}]`, lenient.objects);
  if (minReplicas === 0 && !metrics.some(({ type }) => type === "Object" || type === "External"))
    yield forbiddenField(
      "spec.metrics",
      "must specify at least one Object or External metric to support scaling to zero replicas",
    );
  for (const side of ["scaleUp", "scaleDown"] as const)
    if (behavior?.[side]) yield* validateScaling(behavior[side], `spec.behavior.${side}`);
}

export function apiVersionProblem(apiVersion: string, mayBeCore: boolean): string | undefined {
  const parts = apiVersion.split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const group = parts.length === 2 ? parts[0] : "";
  return mayBeCore || group ? undefined : "apiVersion must specify API group";
}

function* validateReference(
  reference: AutoscalingV2CrossVersionObjectReference | undefined,
  field: string,
  anyVersion: boolean,
  mayBeCore: boolean,
): Problems {
  for (const name of ["kind", "name"] as const) {
    const value = reference?.[name];
    if (!value) yield required(`${field}.${name}`);
    else yield* invalidFor(`${field}.${name}`, value, pathSegmentProblems(value));
  }
  const apiVersion = reference?.apiVersion ?? "";
  const wrong = apiVersionProblem(apiVersion, mayBeCore);
  if (wrong && !anyVersion) yield invalidValue(`${field}.apiVersion`, apiVersion, wrong);
}

const TYPES = ["ContainerResource", "External", "Object", "Pods", "Resource"];
/** In the order in which they are looked at: the first of several is judged, the others are refused. */
const SOURCES = ["object", "external", "pods", "resource", "containerResource"] as const;

function* validateMetric(metric: AutoscalingV2MetricSpec, field: string, anyVersion: boolean): Problems {
  const { type = "" } = metric;
  if (!type) yield required(`${field}.type`, "must specify a metric source type");
  const isKnown = TYPES.includes(type);
  if (!isKnown) yield notSupported(`${field}.type`, type, TYPES);
  const present = SOURCES.filter((name) => metric[name]);
  const [first] = present;
  if (first) yield* validateSource(metric, first, `${field}.${first}`, anyVersion);
  const expected = isKnown ? type.charAt(0).toLowerCase() + type.slice(1) : "";
  if (!isKnown) yield notSupported(`${field}.type`, type, TYPES);
  else if (!metric[expected as (typeof SOURCES)[number]])
    yield required(`${field}.${expected}`, "must populate information for the given metric source");
  if (present.length === 1) return;
  for (const name of present)
    if (name !== expected) yield forbiddenField(`${field}.${name}`, "must populate the given metric source only");
}

function* validateSource(
  metric: AutoscalingV2MetricSpec,
  name: (typeof SOURCES)[number],
  field: string,
  anyVersion: boolean,
): Problems {
  const source = metric[name];
  if (!source) return;
  const { value, averageValue, averageUtilization } = source.target ?? {};
  if (metric[name] && name === "object")
    yield* validateReference(metric.object?.describedObject, `${field}.describedObject`, anyVersion, true);
  if ("metric" in source || name === "object" || name === "external" || name === "pods") {
    const metricName = metric[name as "object"]?.metric?.name;
    if (!metricName) yield required(`${field}.metric.name`, "must specify a metric name");
    else yield* invalidFor(`${field}.metric.name`, metricName, pathSegmentProblems(metricName));
  }
  if (name === "resource" && !metric.resource?.name) yield required(`${field}.name`, "must specify a resource name");
  if (name === "containerResource") yield* validateContainerSource(metric.containerResource ?? {}, field);
  yield* validateTarget(source.target, `${field}.target`);
  const target = (which: string) => `${field}.target.${which}`;
  if (name === "object" && value === undefined && averageValue === undefined)
    yield required(target("averageValue"), "must set either a target value or averageValue");
  if (name === "external") {
    if (value === undefined && averageValue === undefined)
      yield required(target("averageValue"), "must set either a target value for metric or a per-pod target");
    if (value !== undefined && averageValue !== undefined)
      yield forbiddenField(target("value"), "may not set both a target value for metric and a per-pod target");
  }
  if (name === "pods" && averageValue === undefined)
    yield required(target("averageValue"), "must specify a positive target averageValue");
  if (name !== "resource" && name !== "containerResource") return;
  if (averageUtilization === undefined && averageValue === undefined)
    yield required(target("averageUtilization"), "must set either a target raw value or a target utilization");
  if (averageUtilization !== undefined && averageValue !== undefined)
    yield forbiddenField(target("averageValue"), "may not set both a target raw value and a target utilization");
}

function* validateContainerSource({ name, container }: { name?: string; container?: string }, field: string): Problems {
  if (!name) yield required(`${field}.name`, "must specify a resource name");
  else yield* validateContainerResourceName(name, `${field}.name`);
  if (!container) yield required(`${field}.container`, "must specify a container");
  else yield* invalidFor(`${field}.container`, container, dnsLabelProblems(container));
}

const TARGETS = ["Utilization", "Value", "AverageValue"];

function* validateTarget(target: AutoscalingV2MetricTarget | undefined, field: string): Problems {
  const { type = "", averageUtilization: share } = target ?? {};
  if (!type) yield required(`${field}.type`, "must specify a metric target type");
  if (!TARGETS.includes(type))
    yield invalidValue(`${field}.type`, type, "must be either Utilization, Value, or AverageValue");
  for (const name of ["value", "averageValue"] as const) {
    const amount = target?.[name];
    if (amount !== undefined && parseQuantity(amount).nano <= 0n)
      yield invalidValue(`${field}.${name}`, formatQuantity(parseQuantity(amount)), "must be positive");
  }
  if (share !== undefined && share < 1)
    yield invalidValue(`${field}.averageUtilization`, share, "must be greater than 0");
}

const SELECTIONS = ["Disabled", "Max", "Min"];
const POLICIES = ["Percent", "Pods"];
const MAX_WINDOW = 3600;
const MAX_PERIOD = 1800;

function* validateScaling(rules: AutoscalingV2HPAScalingRules, field: string): Problems {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const windowAt = `${field}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) yield invalidValue(windowAt, window, "must be greater than or equal to zero");
  if (window !== undefined && window > MAX_WINDOW)
    yield invalidValue(windowAt, window, `must be less than or equal to ${MAX_WINDOW}`);
  if (selectPolicy !== undefined && !SELECTIONS.includes(selectPolicy))
    yield notSupported(`${field}.selectPolicy`, selectPolicy, SELECTIONS);
  if (!policies.length) yield required(`${field}.policies`, "must specify at least one Policy");
  for (const [index, { type = "", value = 0, periodSeconds = 0 }] of policies.entries()) {
    const at = `${field}.policies[${index}]`;
    if (!POLICIES.includes(type)) yield notSupported(`${at}.type`, type, POLICIES);
    if (value <= 0) yield invalidValue(`${at}.value`, value, "must be greater than zero");
    if (periodSeconds <= 0) yield invalidValue(`${at}.periodSeconds`, periodSeconds, "must be greater than zero");
    if (periodSeconds > MAX_PERIOD)
      yield invalidValue(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${MAX_PERIOD}`);
  }
  if (tolerance !== undefined && parseQuantity(tolerance).nano < 0n)
    yield invalidValue(
      `${field}.tolerance`,
      formatQuantity(parseQuantity(tolerance)),
      "must be greater than or equal to 0",
    );
}
