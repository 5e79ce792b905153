import { invalidValue, required } from "../../lib/status.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type {
  AutoscalingV2HorizontalPodAutoscaler,
  AutoscalingV2HPAScalingRules,
  AutoscalingV2MetricSpec,
  AutoscalingV2MetricStatus,
  Schemas,
} from "../generated/types.ts";

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
  *validate({ spec }) {
    const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec ?? {};
    if (minReplicas !== undefined && minReplicas < 1)
      yield invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1");
    if (maxReplicas < 1) yield invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0");
    if (minReplicas !== undefined && maxReplicas < minReplicas)
      yield invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`");
    if (!scaleTargetRef?.kind) yield required("spec.scaleTargetRef.kind");
    if (!scaleTargetRef?.name) yield required("spec.scaleTargetRef.name");
    for (const [index, { type }] of (spec?.metrics ?? []).entries())
      if (!type) yield required(`spec.metrics[${index}].type`, "must specify a metric source type");
  },
  *validateCreate({ spec }) {
    const apiVersion = spec?.scaleTargetRef?.apiVersion ?? "";
    if (!apiVersion.includes("/")) yield invalidValue("spec.scaleTargetRef.apiVersion", apiVersion, NO_GROUP);
  },
  *validateUpdate({ spec }, old) {
    const [now, before] = [spec, old.spec].map((of) => of?.scaleTargetRef?.apiVersion ?? "");
    if (before?.includes("/") && !now?.includes("/"))
      yield invalidValue("spec.scaleTargetRef.apiVersion", now, NO_GROUP);
  },
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

const NO_GROUP = "apiVersion must specify API group";
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
  const isAverage = !!external && averageValue !== undefined;
  if (averageValue !== undefined)
    return `${label}${now?.averageValue ?? "<unknown>"}/${averageValue}${isAverage ? " (avg)" : ""}`;
  if (resource || containerResource) {
    const current = now?.averageUtilization === undefined ? "<unknown>" : `${now.averageUtilization}%`;
    return `${label}${current}/${averageUtilization === undefined ? "<auto>" : `${averageUtilization}%`}`;
  }
  return `${label}${now?.value ?? "<unknown>"}/${value ?? "<auto>"}`;
}
