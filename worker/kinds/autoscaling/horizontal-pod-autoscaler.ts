import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type {
  AutoscalingV2HorizontalPodAutoscaler,
  AutoscalingV2HPAScalingRules,
  AutoscalingV2MetricSpec,
  AutoscalingV2MetricStatus,
  Schemas,
} from "../generated/types.ts";
import { apiVersionProblem, keepsTarget, type Lenient, validateAutoscaler } from "../validation/autoscaler.ts";
import { notNegative } from "../validation/fields.ts";

/** https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/ */
export type HorizontalPodAutoscaler = Schemas["io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"];

const CPU_TARGET = 80;
const UP: AutoscalingV2HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const DOWN: AutoscalingV2HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

export const HorizontalPodAutoscaler = defineKind({
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  default({ spec }) {
    if (!spec) return;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length)
      spec.metrics = [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: CPU_TARGET } },
        },
      ];
    if (!spec.behavior) return;
    spec.behavior.scaleUp = structuredClone({ ...UP, ...spec.behavior.scaleUp });
    spec.behavior.scaleDown = structuredClone({ ...DOWN, ...spec.behavior.scaleDown });
  },
  validateCreate: ({ spec }) => validateAutoscaler(spec),
  *validateUpdate({ spec, status }, old, subresource) {
    if (subresource === "status") {
      yield* notNegative("status.currentReplicas", status?.currentReplicas);
      yield* notNegative("status.desiredReplicas", status?.desiredReplicas);
    } else yield* validateAutoscaler(spec, leniencyOf(spec, old.spec));
  },
  validate: () => [],
  columns: [
    nameColumn,
    {
      name: "Reference",
      type: "string",
      value: ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`,
    },
    { name: "Targets", type: "string", value: targets },
    { name: "MinPods", type: "string", value: ({ spec }) => String(spec?.minReplicas ?? "<unset>") },
    { name: "MaxPods", type: "string", value: ({ spec }) => spec?.maxReplicas ?? 0 },
    { name: "Replicas", type: "string", value: ({ status }) => status?.currentReplicas ?? 0 },
    ageColumn,
  ],
});

type Spec = AutoscalingV2HorizontalPodAutoscaler["spec"];

/** What was accepted once stays so. */
const leniencyOf = (spec: Spec, before: Spec): Lenient => ({
  target: keepsTarget(spec, before),
  objects: (before?.metrics ?? []).some(
    ({ object }) => object && apiVersionProblem(object.describedObject?.apiVersion ?? "", true) !== undefined,
  ),
});

const SHOWN = 2;

function targets({ spec, status }: AutoscalingV2HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (!metrics.length) return "<none>";
  const all = metrics.map((metric, index) => targetOf(metric, status?.currentMetrics?.[index]));
  const shown = all.slice(0, SHOWN).join(", ");
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}

function targetOf(metric: AutoscalingV2MetricSpec, status: AutoscalingV2MetricStatus | undefined): string {
  const { resource, containerResource, pods, object, external } = metric;
  const source = resource ?? containerResource ?? pods ?? object ?? external;
  if (!source) return "<unknown type>";
  const now = (status?.resource ?? status?.containerResource ?? status?.pods ?? status?.object ?? status?.external)
    ?.current;
  const { averageValue, averageUtilization, value } = source.target ?? {};
  const label = "name" in source ? `${source.name}: ` : "";
  const isAverage = !!(external ?? object) && averageValue !== undefined;
  if (averageValue !== undefined)
    return `${label}${now?.averageValue ?? "<unknown>"}/${averageValue}${isAverage ? " (avg)" : ""}`;
  if (resource || containerResource) {
    const current = now?.averageUtilization === undefined ? "<unknown>" : `${now.averageUtilization}%`;
    return `${label}${current}/${averageUtilization === undefined ? "<auto>" : `${averageUtilization}%`}`;
  }
  return `${label}${now?.value ?? "<unknown>"}/${value ?? "<auto>"}`;
}
