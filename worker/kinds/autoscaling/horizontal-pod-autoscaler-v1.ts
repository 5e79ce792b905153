import { defineKind } from "../define-kind.ts";
import type {
  AutoscalingV1HorizontalPodAutoscalerSpec,
  AutoscalingV2HorizontalPodAutoscalerSpec,
  Schemas,
} from "../generated/types.ts";
import { keepsTarget, type Lenient, validateAutoscaler } from "../validation/autoscaler.ts";
import { notNegative, type Problems } from "../validation/fields.ts";
import { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";

/** The older form, which knows one metric: the CPU. It is stored as autoscaling/v2 has it. */
export type HorizontalPodAutoscalerV1 = Schemas["io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler"];
export const HorizontalPodAutoscalerV1 = defineKind({
  schema: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
  default({ spec }) {
    if (spec) spec.minReplicas ??= 1;
  },
  prepareForCreate: ({ spec }) => fillTarget(spec),
  prepareForUpdate: ({ spec }) => fillTarget(spec),
  validate: () => [],
  validateCreate: ({ spec }) => validate(spec),
  *validateUpdate({ spec, status }, old, subresource) {
    if (subresource === "status") {
      yield* notNegative("status.currentReplicas", status?.currentReplicas);
      yield* notNegative("status.desiredReplicas", status?.desiredReplicas);
    } else yield* validate(spec, { target: keepsTarget(spec, old.spec), objects: false });
  },
  columns: HorizontalPodAutoscaler.columns.map((column) => ({
    ...column,
    value: ({ metadata, spec, status }, now) => {
      const { currentReplicas = 0, desiredReplicas = 0, currentCPUUtilizationPercentage: share } = status ?? {};
      const current = share === undefined ? {} : { averageUtilization: share };
      const currentMetrics = [{ type: "Resource", resource: { name: "cpu", current } }];
      return column.value(
        { metadata, spec: asV2(spec), status: { currentReplicas, desiredReplicas, currentMetrics } },
        now,
      );
    },
  })),
});

const CPU_TARGET = 80;

/** A new one is about the CPU; one that was made in the other form may be about something else. */
function fillTarget(spec: AutoscalingV1HorizontalPodAutoscalerSpec | undefined): void {
  if (spec) spec.targetCPUUtilizationPercentage ??= CPU_TARGET;
}

function asV2(spec: AutoscalingV1HorizontalPodAutoscalerSpec | undefined): AutoscalingV2HorizontalPodAutoscalerSpec {
  const given: Partial<AutoscalingV1HorizontalPodAutoscalerSpec> = spec ?? {};
  const { targetCPUUtilizationPercentage: averageUtilization, ...rest } = given;
  const { maxReplicas = 0, scaleTargetRef = { kind: "", name: "" } } = rest;
  const resource = { name: "cpu", target: { type: "Utilization", averageUtilization: averageUtilization ?? 0 } };
  const metrics = averageUtilization === undefined ? [] : [{ type: "Resource", resource }];
  return { ...rest, maxReplicas, scaleTargetRef, metrics };
}

const validate = (spec: AutoscalingV1HorizontalPodAutoscalerSpec | undefined, lenient?: Lenient): Problems =>
  validateAutoscaler(asV2(spec), lenient);
