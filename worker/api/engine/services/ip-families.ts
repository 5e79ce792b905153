import { isExternalName, isHeadless } from "../../../kinds/core/service.ts";
import type { CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
import { same } from "../../../kinds/paths.ts";
import { ipFamily } from "../../../kinds/validation/ip.ts";
import { type FieldError, invalidValue } from "../../../lib/status.ts";

type Spec = CoreV1ServiceSpec;

/**
 * Families of a Service's addresses; sets what was left out, in place, and lets the second address go where that is
 * asked for. `families` are the cluster's, the default one first.
 * https://kubernetes.io/docs/concepts/services-networking/dual-stack/
 */
export function ipFamilyProblems(spec: Spec, before: Spec | undefined, families: readonly string[]): FieldError[] {
  if (isExternalName(spec) || (before && isAsPreferred(spec, before))) return [];
  const isUnselected = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (isUnselected ? "RequireDualStack" : "SingleStack");
  const problems = [
    ...(before ? released(spec, before) : []),
    ...superfluous(spec),
    ...inferred(spec, families),
    ...(isUnselected ? [] : unserved(spec, families)),
  ];
  if (problems.length > 0) return problems;
  if (!spec.ipFamilies?.length) spec.ipFamilies = families.slice(0, 1);
  // Endpoints of a headless Service without a selector are the user's own, so they may be of any family.
  const isDual = isUnselected || families.length > 1;
  if (isDual && spec.ipFamilyPolicy !== "SingleStack" && spec.ipFamilies.length === 1)
    spec.ipFamilies.push(spec.ipFamilies[0] === "IPv4" ? "IPv6" : "IPv4");
  return [];
}

/** A preference was met as far as could be when it was said, and is so again when it is said anew. */
const isAsPreferred = (spec: Spec, before: Spec): boolean =>
  [spec, before].every(({ ipFamilyPolicy }) => ipFamilyPolicy === "PreferDualStack") &&
  spec.type === before.type &&
  same(spec.clusterIPs, before.clusterIPs) &&
  same(spec.ipFamilies, before.ipFamilies);

/** To give the second address up takes the policy that says so; the policy alone is enough. */
function* released(spec: Spec, before: Spec): Iterable<FieldError> {
  for (const [list, what] of [
    ["clusterIPs", "cluster IP"],
    ["ipFamilies", "IP family"],
  ] as const) {
    const [now, then] = [spec[list] ?? [], before[list] ?? []];
    if (spec.ipFamilyPolicy === "SingleStack") {
      if (now.length > 1 && same(now, then)) spec[list] = now.slice(0, 1);
    } else if (now.length > 0 && now.length < then.length)
      yield invalidPolicy(spec, `must be 'SingleStack' to release the secondary ${what}`);
  }
}

function* superfluous(spec: Spec): Iterable<FieldError> {
  if (spec.ipFamilyPolicy !== "SingleStack") return;
  const several = (what: string) =>
    `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
  if (spec.clusterIPs?.length === 2) yield invalidPolicy(spec, several("cluster IPs"));
  if (spec.ipFamilies?.length === 2) yield invalidPolicy(spec, several("IP families"));
}

/** Addresses that were asked for say their families. */
function* inferred(spec: Spec, families: readonly string[]): Iterable<FieldError> {
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    const family = ipFamily(address);
    if (!family || index < (spec.ipFamilies?.length ?? 0)) continue;
    if (families.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else
      yield invalidValue(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`);
  }
}

function* unserved(spec: Spec, families: readonly string[]): Iterable<FieldError> {
  if (spec.ipFamilyPolicy === "RequireDualStack" && families.length < 2)
    yield invalidPolicy(spec, "this cluster is not configured for dual-stack services");
  for (const [index, family] of (spec.ipFamilies ?? []).entries())
    if (!families.includes(family))
      yield invalidValue(`spec.ipFamilies[${index}]`, family, "not configured on this cluster");
}

const invalidPolicy = ({ ipFamilyPolicy }: Spec, why: string): FieldError =>
  invalidValue("spec.ipFamilyPolicy", ipFamilyPolicy, why);
