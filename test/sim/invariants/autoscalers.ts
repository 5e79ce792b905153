/** https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/ */
import type { AutoscalingV2HorizontalPodAutoscaler } from "../../../worker/kinds/generated/types.ts";
import { read } from "../../../worker/kinds/paths.ts";
import { describe, type Step } from "./history.ts";
import type { Rule } from "./rule.ts";

const TARGETS: Readonly<Record<string, string>> = { Deployment: "deployments.apps", StatefulSet: "statefulsets.apps" };

/** When an autoscaler says that it has changed its target, the target is so, and within the bounds. */
export const autoscalersKeepBounds: Rule = {
  rule: "autoscalers-keep-bounds",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "horizontalpodautoscalers.autoscaling" || step.type === "DELETED") return;
      const { object, old } = step as Step<AutoscalingV2HorizontalPodAutoscaler>;
      const { lastScaleTime, desiredReplicas = 0 } = object.status ?? {};
      if (!lastScaleTime || lastScaleTime === old?.status?.lastScaleTime) return;
      const { minReplicas = 1, maxReplicas, scaleTargetRef } = object.spec;
      if (desiredReplicas < minReplicas || desiredReplicas > maxReplicas)
        fail(`${describe(step)} scales to ${desiredReplicas}, which is not ${minReplicas} to ${maxReplicas}`);
      const target = history.get(TARGETS[scaleTargetRef.kind] ?? "", step.namespace, scaleTargetRef.name);
      const replicas = target && read(target.object, "spec.replicas");
      if (replicas !== desiredReplicas)
        fail(`${describe(step)} says that it scaled to ${desiredReplicas}, and there are to be ${replicas}`);
    },
  }),
};
