import type {
  AutoscalingV1HorizontalPodAutoscaler as HpaV1,
  AutoscalingV2HorizontalPodAutoscaler as HpaV2,
} from "../../kinds/generated/types.ts";
import type { KubeObject } from "../../lib/object.ts";

/** What version 1 of a HorizontalPodAutoscaler cannot say is kept in annotations, as its users expect. */
const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
const KEPT = [METRICS, CURRENT, CONDITIONS, BEHAVIOR];

type Metric = NonNullable<NonNullable<HpaV2["spec"]>["metrics"]>[number];
type Json = { readonly [key: string]: unknown };

const isCpuShare = ({ type, resource }: Metric) =>
  type === "Resource" && resource?.name === "cpu" && resource.target?.averageUtilization !== undefined;

export function hpaToV1({ metadata, spec, status, ...same }: HpaV2): KubeObject {
  const { metrics = [], behavior, ...rest } = spec ?? ({} as NonNullable<HpaV2["spec"]>);
  const { currentMetrics, conditions, ...known } = status ?? ({} as NonNullable<HpaV2["status"]>);
  const cpu = metrics.find(isCpuShare);
  const share = currentMetrics?.find(({ resource }) => resource?.name === "cpu")?.resource?.current?.averageUtilization;
  const kept = {
    [METRICS]: metrics.filter((metric) => !isCpuShare(metric)).map((metric) => olderMetric(metric, "target")),
    [CURRENT]: (currentMetrics ?? []).map((metric) => olderMetric(metric, "current")),
    [CONDITIONS]: conditions ?? [],
    [BEHAVIOR]: behavior ? [olderBehavior(behavior as Json)] : [],
  };
  const annotations = { ...metadata?.annotations };
  for (const [name, list] of Object.entries(kept))
    if (list.length) annotations[name] = JSON.stringify(name === BEHAVIOR ? list[0] : list);
  return {
    ...same,
    metadata: annotated(metadata, annotations),
    spec: {
      ...rest,
      ...(cpu && { targetCPUUtilizationPercentage: cpu.resource?.target?.averageUtilization }),
    },
    status: {
      currentReplicas: 0,
      ...known,
      ...(share !== undefined && { currentCPUUtilizationPercentage: share }),
    },
  } as KubeObject;
}

export function hpaToV2({ metadata, spec, status, ...same }: HpaV1): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...rest } = spec ?? ({} as NonNullable<HpaV1["spec"]>);
  const { currentCPUUtilizationPercentage: share, ...known } = status ?? ({} as NonNullable<HpaV1["status"]>);
  const annotations = { ...metadata?.annotations };
  const kept = Object.fromEntries(KEPT.map((name) => [name, parseKept(annotations[name])]));
  for (const name of KEPT) delete annotations[name];
  const metrics = [
    ...listOf(kept[METRICS]).map((metric) => newerMetric(metric, "target")),
    ...(target !== undefined ? [cpuMetric("target", { type: "Utilization", averageUtilization: target })] : []),
  ];
  const measured = listOf(kept[CURRENT]).map((metric) => newerMetric(metric, "current"));
  const current =
    measured.length || share === undefined ? measured : [cpuMetric("current", { averageUtilization: share })];
  return {
    ...same,
    metadata: annotated(metadata, annotations),
    spec: {
      ...rest,
      ...(metrics.length && { metrics }),
      ...(isJson(kept[BEHAVIOR]) && { behavior: newerBehavior(kept[BEHAVIOR]) }),
    },
    status: {
      ...known,
      currentMetrics: current.length ? current : null,
      ...(kept[CONDITIONS] !== undefined && { conditions: kept[CONDITIONS] }),
    },
  } as KubeObject;
}

/** No annotations at all are none, so that what was read and is sent back changes nothing. */
const annotated = (metadata: KubeObject["metadata"], annotations: Record<string, string>) => ({
  ...metadata,
  annotations: Object.keys(annotations).length ? annotations : undefined,
});

const cpuMetric = (field: string, value: unknown) => ({ type: "Resource", resource: { name: "cpu", [field]: value } });

function parseKept(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isJson) : []);
const json = (value: unknown): Json => (isJson(value) ? value : {});

const SOURCES = ["resource", "containerResource", "pods", "object", "external"];
type Side = "target" | "current";

/** The source of a metric, said anew. */
function translated(metric: object, say: (source: Json, name: string) => Json): Json {
  const given = Object.entries(metric);
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      SOURCES.includes(name) && isJson(value) ? withoutAbsent(say(value, name)) : value,
    ]),
  );
}

const withoutAbsent = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** What is measured always has a value, if only "0". */
function olderMetric(metric: object, side: Side): Json {
  const zero = side === "current" ? "0" : undefined;
  return translated(metric, (source, name) => {
    const { value, averageValue, averageUtilization } = json(source[side]);
    const { name: metricName, selector } = json(source.metric);
    if (name === "pods") return { metricName, [`${side}AverageValue`]: averageValue ?? "0", selector };
    if (name === "external")
      return {
        metricName,
        metricSelector: selector,
        [`${side}Value`]: value ?? zero,
        [`${side}AverageValue`]: averageValue,
      };
    if (name === "object")
      return { target: source.describedObject, metricName, [`${side}Value`]: value ?? "0", selector, averageValue };
    return {
      name: source.name,
      [`${side}AverageUtilization`]: averageUtilization,
      [`${side}AverageValue`]: averageValue ?? zero,
      container: source.container,
    };
  });
}

function newerMetric(metric: Json, side: Side): Json {
  return translated(metric, (source, name) => {
    const value = source[`${side}Value`];
    const averageValue = source[`${side}AverageValue`] ?? (name === "object" ? source.averageValue : undefined);
    const averageUtilization = source[`${side}AverageUtilization`];
    const amounts = { value, averageValue, averageUtilization };
    const selector = source.selector ?? source.metricSelector;
    const told = side === "current" ? withoutAbsent(amounts) : targetOf(amounts);
    const isResource = name === "resource" || name === "containerResource";
    return {
      ...(isResource ? { name: source.name, container: source.container } : {}),
      ...(name === "object" && { describedObject: source.target }),
      ...(!isResource && { metric: withoutAbsent({ name: source.metricName, selector }) }),
      [side]: told,
    };
  });
}

/** One of them is aimed at; the first that is given, an average before the whole. */
function targetOf({ value, averageValue, averageUtilization }: Json): Json {
  if (averageUtilization !== undefined) return { type: "Utilization", averageUtilization };
  return averageValue === undefined ? { type: "Value", value } : { type: "AverageValue", averageValue };
}

/** The annotation has the fields of the server's own structs. */
const small = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function olderBehavior(behavior: Json): Json {
  const rules = (value: unknown) => {
    if (!isJson(value)) return null;
    const { stabilizationWindowSeconds = null, selectPolicy = null, policies, tolerance = null } = value;
    return {
      StabilizationWindowSeconds: stabilizationWindowSeconds,
      SelectPolicy: selectPolicy,
      Policies: listOf(policies).map(({ type, value: amount, periodSeconds }) => ({
        Type: type,
        Value: amount,
        PeriodSeconds: periodSeconds,
      })),
      Tolerance: tolerance,
    };
  };
  return { ScaleUp: rules(behavior.scaleUp), ScaleDown: rules(behavior.scaleDown) };
}

function newerBehavior(behavior: Json): Json {
  const renamed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(renamed);
    if (!isJson(value)) return value;
    const given = Object.entries(value).filter(([, inner]) => inner !== null);
    return Object.fromEntries(given.map(([name, inner]) => [small(name), renamed(inner)]));
  };
  return renamed(behavior) as Json;
}
