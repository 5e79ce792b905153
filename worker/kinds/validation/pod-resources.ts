import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from "../../lib/quantity.ts";
import { forbiddenField, invalidValue } from "../../lib/status.ts";
import { podLimits, podRequests } from "../core/pod-resources.ts";
import type { CoreV1PodSpec } from "../generated/types.ts";
import { entries, type Problems } from "./fields.ts";
import { validateRequirements } from "./resources.ts";

/** What a pod asks for as a whole holds what its containers ask for. */
export function* validatePodResources(spec: CoreV1PodSpec, field: string): Problems {
  const { resources } = spec;
  if (!resources) return;
  if (spec.os?.name === "windows") {
    yield forbiddenField(field, "may not be set for a windows pod");
    return;
  }
  if (resources.claims) yield forbiddenField(`${field}.claims`, "claims may not be set for Resources at pod-level");
  const claims = new Set((spec.resourceClaims ?? []).map((claim) => claim.name));
  yield* validateRequirements(resources, claims, field, true);
  const { resources: _, overhead: __, ...bare } = spec;
  const shown = (amount: Quantity) => formatQuantity(amount);
  for (const [name, sum] of entries(podRequests({ spec: bare }))) {
    const own = resources.requests?.[name];
    if (own !== undefined && compareQuantities(sum, parseQuantity(own)) > 0)
      yield invalidValue(
        `${field}.requests[${name}]`,
        shown(parseQuantity(own)),
        `must be greater than or equal to aggregate container requests of ${shown(sum)}`,
      );
  }
  for (const [name, sum] of entries(podLimits({ spec: bare }))) {
    const own = resources.limits?.[name];
    if (name.startsWith("hugepages-") && own !== undefined && compareQuantities(sum, parseQuantity(own)) > 0)
      yield invalidValue(
        `${field}.limits[${name}]`,
        shown(parseQuantity(own)),
        `must be greater than or equal to aggregate container limits of ${shown(sum)}`,
      );
  }
  for (const [index, container] of (spec.containers ?? []).entries())
    for (const [name, limit] of entries(container.resources?.limits)) {
      const own = resources.limits?.[name];
      if (own !== undefined && compareQuantities(parseQuantity(limit), parseQuantity(own)) > 0)
        yield invalidValue(
          `${field}.containers[${index}][${name}].limits`,
          shown(parseQuantity(limit)),
          `must be less than or equal to pod limits of ${shown(parseQuantity(own))}`,
        );
    }
}
