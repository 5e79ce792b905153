import { isExternalName, isHeadless } from "../../../kinds/core/service.ts";
import type { CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
import { type FieldError, invalidValue } from "../../../lib/status.ts";

/**
 * Families of a cluster that has IPv4 alone; sets what was left out, in place.
 * https://kubernetes.io/docs/concepts/services-networking/dual-stack/
 */
export function* ipFamilyProblems(spec: CoreV1ServiceSpec): Iterable<FieldError> {
  if (isExternalName(spec)) return;
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0;
  if (isHeadless(spec) && !hasSelector) return settleUnselected(spec);
  if (spec.ipFamilyPolicy === "RequireDualStack")
    yield invalidValue(
      "spec.ipFamilyPolicy",
      spec.ipFamilyPolicy,
      "this cluster is not configured for dual-stack services",
    );
  for (const [index, family] of (spec.ipFamilies ?? []).entries())
    if (family !== "IPv4") yield invalidValue(`spec.ipFamilies[${index}]`, family, "not configured on this cluster");
  if (!spec.ipFamilies?.length) spec.ipFamilies = ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
}

/** Endpoints of a headless Service without a selector are the user's own, so they may be of any family. */
function settleUnselected(spec: CoreV1ServiceSpec): void {
  spec.ipFamilyPolicy ??= "RequireDualStack";
  if (!spec.ipFamilies?.length) spec.ipFamilies = ["IPv4"];
  if (spec.ipFamilies.length === 1 && spec.ipFamilyPolicy !== "SingleStack")
    spec.ipFamilies.push(spec.ipFamilies[0] === "IPv4" ? "IPv6" : "IPv4");
}
