import { invalidValue, notSupported } from "../../lib/status.ts";
import type { PolicyV1PodDisruptionBudget } from "../generated/types.ts";
import type { Problems } from "./fields.ts";
import { goSelector } from "./go-values.ts";
import { validateAtMostAll, validateIntOrPercent } from "./int-or-percent.ts";
import { validateLabelSelector } from "./label-selector.ts";

const POLICIES = ["AlwaysAllow", "IfHealthyBudget"];

export function* validateDisruptionBudget({ spec }: PolicyV1PodDisruptionBudget): Problems {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    yield invalidValue(
      "spec",
      {
        MinAvailable: minAvailable,
        Selector: goSelector(selector),
        MaxUnavailable: maxUnavailable,
        UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
      },
      "minAvailable and maxUnavailable cannot be both set",
    );
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue;
    yield* validateIntOrPercent(`spec.${name}`, value);
    yield* validateAtMostAll(`spec.${name}`, value);
  }
  yield* validateLabelSelector(selector, "spec.selector");
  if (unhealthyPodEvictionPolicy !== undefined && !POLICIES.includes(unhealthyPodEvictionPolicy))
    yield notSupported("spec.unhealthyPodEvictionPolicy", unhealthyPodEvictionPolicy, POLICIES);
}
