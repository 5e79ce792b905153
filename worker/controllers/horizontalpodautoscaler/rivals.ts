/** Which other autoscalers would scale by the same pods: then none may. */
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import type { Pod } from "../../kinds/core/pod.ts";
import { parseLabelSelector } from "../../lib/selector-parser.ts";
import { matchesRequirements, SelectorError } from "../../lib/selectors.ts";
import type { View } from "../controller.ts";
import { keyOf } from "../keys.ts";
import { targetOf } from "./target.ts";

/** Their keys. */
export function rivals(
  view: View,
  { metadata }: Readonly<HorizontalPodAutoscaler>,
  pods: readonly Readonly<Pod>[],
): string[] {
  if (pods.length === 0) return [];
  return view
    .list(HorizontalPodAutoscaler, metadata.namespace)
    .filter((other) => other.metadata.name !== metadata.name && selectsAny(view, other, pods))
    .map(keyOf);
}

function selectsAny(view: View, hpa: Readonly<HorizontalPodAutoscaler>, pods: readonly Readonly<Pod>[]): boolean {
  const target = targetOf(view, hpa);
  if ("failed" in target || target.scale.replicas === 0 || target.scale.selector === "") return false;
  try {
    const requirements = parseLabelSelector(target.scale.selector);
    return pods.some(({ metadata }) => matchesRequirements(requirements, metadata.labels));
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
